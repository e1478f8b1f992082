"""A headless Chromium, which Playwright drives."""

from __future__ import annotations

import shutil
from typing import Any, Literal, NamedTuple, Self

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="Chromium is not installed: the Debian package is chromium"
)
Scheme = Literal["light", "dark"]
_OPTIONS = ("--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server")
_COVER = """
  document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('.preloader')?.className ?? null"""


class Load(NamedTuple):
    """What a page did while it was loaded."""

    requests: list[str]
    """Addresses that were asked for."""
    problems: list[str]
    """Errors and warnings of its console and its scripts, and what its policy refused."""


class Browser:
    """Loads pages, each in a profile of its own."""

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=_OPTIONS)
        self.page = self.new_page()
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()
        self._playwright.stop()

    def new_page(self, *, width: int = 1280, scheme: Scheme = "light", scripts: bool = True) -> Page:
        """Open a page in a profile without cookies."""
        context = self._browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts
        )
        return context.new_page()

    def load(self, url: str, *, scripts: bool = True) -> Load:
        """Load a page, with or without its scripts; return what it did meanwhile."""
        self.page.context.close()
        self.page = self.new_page(scripts=scripts)
        did = Load([], [])
        self.page.on("request", lambda request: did.requests.append(request.url))
        self.page.on("console", lambda line: did.problems.append(line.text))
        self.page.on("pageerror", lambda error: did.problems.append(str(error)))
        self.page.goto(url)
        return did

    def shown(self, url: str) -> tuple[str, str | None]:
        """Load a page; return the text that is displayed, and the class of what covers its middle, if a preloader."""
        self.page.goto(url)
        return self.page.inner_text("body"), self.evaluate(_COVER)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        return self.page.evaluate(expression)

    def point_at(self, x: float, y: float) -> None:
        """Move the pointer to a place of the window."""
        self.page.mouse.move(x, y)
