"""Render a report: one HTML page that has its style, script and data inside, and loads nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from string import Template

from crawler.clock import minute
from crawler.reports.page.charts import Chart, embedded
from crawler.reports.page.contents import Contents
from crawler.reports.page.figures import section
from crawler.reports.page.html import safe
from crawler.reports.page.sections import sections

FIRST_LINE = "<!doctype html><!-- A report of alsoread -->"
"""What tells a report from any other file."""
_FOLDER = files("crawler.reports.page")
_TILES = ("articles", "hosts", "words", "images", "pages", "runs")


def render(contents: Contents) -> str:
    """Return the page. The same contents give the same page."""
    parts = sections(contents)
    charts: dict[str, Chart] = {name: chart for part in parts for name, chart in part.charts.items()}
    style, library, script = (_text(name) for name in ("page.css", "vendor/echarts.min.js", "page.js"))
    return Template(_text("page.html")).substitute(
        first_line=FIRST_LINE,
        policy=_policy(style, (library, script)),
        style=style,
        moment=safe(_moment(contents)),
        tiles="".join(_tile(name, contents.totals[name]) for name in _TILES),
        links="".join(f'<li><a href="#{part.anchor}">{safe(part.title)}</a></li>' for part in parts),
        sections="".join(map(section, parts)),
        charts=embedded(charts),
        library=library,
        script=script,
    )


def _policy(style: str, scripts: Sequence[str]) -> str:
    """Return a content security policy: nothing is loaded, and only these scripts and this style count."""
    hashes = " ".join(map(_hash, scripts))
    return f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {_hash(style)}; script-src {hashes}"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _moment(contents: Contents) -> str:
    """Return which moment is shown. It is the last run's, so that the same archive gives the same page."""
    if not contents.runs.rows:
        return "no run yet"
    run = contents.runs.rows[-1]
    if run["ended_at"]:
        return f"after run {run['id']}, which ended on {minute(run['ended_at'])} UTC ({run['outcome']})"
    return f"during run {run['id']}, which began on {minute(run['started_at'])} UTC"


def _tile(name: str, value: int) -> str:
    return f"<div><dt>{name}</dt><dd>{value:,}</dd></div>"


def _text(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")
