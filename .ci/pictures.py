"""Take README's pictures: the demo network's archive in the web pages, by headless Chromium. `make pictures`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from tests.site import SEED, Site, build
from tests.support.browser import CHROMIUM, Scheme

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
ALSOREAD = [sys.executable, "-m", "crawler"]
ARTICLE = "kitchen-notes.techidaily.com/caf%C3%A9-au-lait-without-a-machine/"
SHOTS: dict[str, tuple[str, Scheme]] = {
    "article": (f"article/{ARTICLE}", "light"),
    "article-dark": (f"article/{ARTICLE}", "dark"),
    "report": ("report", "light"),
    "report-dark": ("report", "dark"),
}
"""Paths below the server's address, and the colours that the reader prefers, by the picture's name."""
WIDTH, HEIGHT = 1200, 780
_DAY_SECONDS = 86_400
_EDIT = ("four minutes, stir once", "five minutes, stir twice")
"""What the blog changes between the two crawls."""
_BOWL = (
    '<path d="M10 34h76c0 22-16 34-38 34S10 56 10 34z" fill="#3c6e9f"/>'
    '<path d="M10 34h76l-3 7H13z" fill="#6d4a33"/>'
)
_GLASS = '<path d="M16 8h40l-6 80H22z" fill="#b9c7cd"/><path d="M19 30h34l-4 55H23z" fill="#9a7454"/>'
DRAWINGS = {
    "coffee/blue-bowl.png": (96, 72, _BOWL),
    "coffee/tall-glass.png": (72, 96, _GLASS),
    "thumbnails/cafe-au-lait-without-a-machine.png": (
        760,
        200,
        '<rect width="760" height="200" fill="#e8d9c3"/><circle cx="610" cy="64" r="38" fill="#f4b860"/>'
        '<rect y="150" width="760" height="50" fill="#b98d63"/>'
        f'<g transform="translate(230 56) scale(1.5)">{_BOWL}</g>'
        f'<g transform="translate(420 20) scale(1.5)">{_GLASS}</g>',
    ),
}
"""Width, height and SVG of pictures of the article, which are plain areas in the demo network."""


def main() -> None:
    """Take all pictures."""
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        site, data = Path(folder) / "site", Path(folder) / "data"
        build(ROOT / "data" / "demo", site)
        draw(browser, site / "pictures.techidaily.com")
        archive(site, data)
        with served(data) as address:
            for name, (path, scheme) in SHOTS.items():
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
                page.goto(f"{address}{path}")
                page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


def draw(browser: Browser, pictures: Path) -> None:
    """Draw the pictures of the article that is shown."""
    for name, (width, height, drawing) in DRAWINGS.items():
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_content(f'<body style="margin: 0"><svg width="{width}" height="{height}">{drawing}</svg>')
        page.screenshot(path=pictures / name, omit_background=True)


def archive(site: Path, data: Path) -> None:
    """Crawl the network, and again a day later, after a post has changed."""
    with Site(site) as server:
        to = ("--connect-to", server.url, "--quiet", "--data", str(data))
        run("crawl", SEED, *to)
        run("images", *to)
        post = site / "kitchen-notes.techidaily.com" / "café-au-lait-without-a-machine" / "index.html"
        post.write_text(post.read_text(encoding="utf-8").replace(*_EDIT), encoding="utf-8")
        run("crawl", SEED, "--recrawl", "all", *to, ALSOREAD_CLOCK_OFFSET=str(_DAY_SECONDS))


def run(*arguments: str, **environment: str) -> None:
    """Run a command of alsoread. Its exit code 1 says that one of the blogs uses an unknown template."""
    done = subprocess.run([*ALSOREAD, *arguments], env=os.environ | environment, check=False)
    if done.returncode > 1:
        sys.exit(done.returncode)


@contextmanager
def served(data: Path) -> Iterator[str]:
    """Give the address at which an archive is served."""
    command = [*ALSOREAD, "serve", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101
            yield server.stdout.readline().split()[1]
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
