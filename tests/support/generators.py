"""Site generators that are installed: each makes pages of an export, and must have nothing to complain of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HEXO = Path(os.environ.get("HEXO", "no such folder"), "node_modules")
needs_hexo = pytest.mark.skipif(
    not HEXO.is_dir(), reason="HEXO names no folder: npm install hexo hexo-renderer-marked there"
)
needs_hugo = pytest.mark.skipif(
    not shutil.which("hugo"), reason="Hugo is not installed: the Debian package is hugo"
)
needs_jekyll = pytest.mark.skipif(
    not shutil.which("jekyll"), reason="Jekyll is not installed: the Debian package is jekyll"
)
GENERATORS = [
    pytest.param("hexo", marks=needs_hexo),
    pytest.param("hugo", marks=needs_hugo),
    pytest.param("jekyll", marks=needs_jekyll),
]

_HUGO = {
    "baseURL": "https://example.org/",
    "disableKinds": ["home", "section", "taxonomy", "term", "RSS", "sitemap", "404"],
    "buildFuture": True,
    "markup": {"goldmark": {"renderer": {"unsafe": True}, "extensions": {"typographer": False}}},
}
_JEKYLL = {
    "baseurl": "/sub",
    "future": True,
    "strict_front_matter": True,
    "kramdown": {"smart_quotes": "apos,apos,quot,quot"},
    "defaults": [{"scope": {"path": ""}, "values": {"layout": "post"}}],
}


def run_generator(site: Path, *command: str | Path) -> None:
    """Run a generator; fail if it warns of anything."""
    environment = {**os.environ, "TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)
    printed = done.stdout + done.stderr
    complaints = re.findall(r"(?im)^.*\b(?:warn|error|deprecated).*$", printed)
    assert (done.returncode, complaints) == (0, []), printed


def prepare_hexo(site: Path, address: str = "url: https://example.org") -> None:
    """Make the folder of an export a site of Hexo, whose pages are the text in a `main`."""
    (site / "node_modules").symlink_to(HEXO.absolute())
    plugins = {"hexo": "*", "hexo-renderer-marked": "*"}
    (site / "package.json").write_text(json.dumps({"hexo": {"version": ""}, "dependencies": plugins}))
    config = f"{address}\ntheme: bare\nmarked: {{smartypants: false}}\nsyntax_highlighter: ''\n"
    (site / "_config.yml").write_text(config)
    _write(site / "themes" / "bare" / "layout" / "post.njk", "<main>{{ page.content | safe }}</main>")


def build(site: Path, generator: str) -> Path:
    """Build the folder of an export as a site, whose pages are the text in a `main`, and return its pages."""
    if generator == "hexo":
        prepare_hexo(site, "url: https://example.org/sub\nroot: /sub/")
        run_generator(site, HEXO / ".bin" / "hexo", "generate")
        return site / "public"
    if generator == "hugo":
        _write(site / "hugo.json", json.dumps(_HUGO))
        _write(site / "layouts" / "_default" / "single.html", "<main>{{ .Content }}</main>")
        run_generator(site, "hugo", "--config", "hugo.json")
        return site / "public"
    _write(site / "_config.yml", json.dumps(_JEKYLL))
    _write(site / "_layouts" / "post.html", "<main>{{ content }}</main>")
    run_generator(site, "jekyll", "build")
    return site / "_site"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
