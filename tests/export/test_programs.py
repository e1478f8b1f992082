"""The programs that exports are made for read them: all pages, without a warning, as the archive has them."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from sqlite_utils import Database

from pipelines.export.layout import address
from tests.support.commands import Run, opened
from tests.support.exports import BREAD, ROLLS, cases, export
from tests.support.generators import HEXO, needs_hexo, needs_hugo, needs_jekyll, prepare_hexo, run_generator

FROM = BREAD.removesuffix("bread/")
# What the cases have of other languages' marks, as a reader is to see it.
MARKS = (
    "Dear {{ name }}, {% raw %}look{% endraw %} away, {# a note #} and {{{ three }}}. See jam.",
    '{% for guest in guests %}{{ guest | default("friend") }}{% endfor %}',
    "Left open: {{ name, {% if, {{< figure.",
)


@pytest.fixture(scope="module")
def archives(run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The demo network's, and that of the cases."""
    return [run.data, cases(tmp_path_factory.mktemp("cases"))]


def expected(db: Database) -> dict[str, tuple[str, str | None, list[str]]]:
    """By the address of its page: an article's title, date and tags."""
    rows = db.query("SELECT url, path, title, date, tags FROM articles")
    return {
        address(row["path"], row["url"]): (row["title"], row["date"], sorted(json.loads(row["tags"])))
        for row in rows
    }


def check_pages(built: Path, data: Path, base: str = "") -> None:
    """Every article has its page, links lead to pages, and marks are shown as they are."""
    pages = {f"/{path.parent.relative_to(built)}/" for path in built.rglob("index.html")}
    wanted = set(expected(opened(data)))
    assert wanted <= pages
    for path in built.rglob("index.html"):
        for href in _parsed(path).xpath("//main//a/@href"):
            if href.startswith(("/", ".")):
                assert href.partition("#")[0].removeprefix(base) in wanted
    if not (built / "one.techidaily.com" / "marks").exists():
        return
    text = " ".join(_main(built, "marks").text_content().split()).replace("\u2060", "")
    assert [mark for mark in MARKS if mark not in text] == []
    links = {(link.text_content(), link.get("href")) for link in _main(built, "links").iter("a")}
    rolls, jam = f"{base}/one.techidaily.com/rolls/", f"{base}/two.techidaily.com/jam/"
    assert (
        links
        >= {
            "plain one": rolls,
            "to a place": f"{rolls}#oven",
            "in brackets": jam,
            "with a title": jam,
            "reference": rolls,
            "Bold text": jam,
            "old address": jam,
            ROLLS: rolls,
            "in a table": rolls,
            "nobody": f"{FROM}nobody/",
        }.items()
    )


def _parsed(page: Path) -> Any:
    return html.fromstring(page.read_text(encoding="utf-8") or "<p>")


def _main(built: Path, name: str) -> Any:
    return _parsed(built / "one.techidaily.com" / name / "index.html").xpath("//main")[0]


_LIST = """
const Hexo = require('hexo'), hexo = new Hexo(process.cwd(), {silent: true});
hexo.init().then(() => hexo.load()).then(() => {
  const posts = hexo.model('Post').toArray().map(post => [
    post.path, post.title, post.date.valueOf(), post.tags.map(tag => tag.name).sort()]);
  process.stdout.write(JSON.stringify(posts));
  return hexo.exit();
});
"""


@pytest.mark.long
@needs_hexo
def test_hexo(archives: list[Path], tmp_path: Path) -> None:
    for number, data in enumerate(archives):
        site = tmp_path / str(number)
        export(data, site, "--for", "hexo")
        prepare_hexo(site)
        run_generator(site, HEXO / ".bin" / "hexo", "generate")
        check_pages(site / "public", data)
        (site / "list.js").write_text(_LIST)
        told = subprocess.run(
            ["node", "list.js"], cwd=site, capture_output=True, text=True, check=True
        ).stdout
        posts = {path: (title, date, tags) for path, title, date, tags in json.loads(told)}
        wanted = expected(opened(data))
        assert len(posts) == len(wanted)
        for path, (title, date, tags) in wanted.items():
            assert (posts[path][0], sorted(posts[path][2])) == (title, tags)
            assert date is None or posts[path][1] == round(datetime.fromisoformat(date).timestamp() * 1000)


@pytest.mark.long
@needs_hugo
def test_hugo(archives: list[Path], tmp_path: Path) -> None:
    for number, data in enumerate(archives):
        site = tmp_path / str(number)
        export(data, site, "--for", "hugo")
        config = {
            "baseURL": "https://example.org/sub/",
            "disableKinds": ["home", "section", "taxonomy", "term", "RSS", "sitemap", "404"],
            "markup": {"goldmark": {"renderer": {"unsafe": True}, "extensions": {"typographer": False}}},
        }
        (site / "hugo.json").write_text(json.dumps(config))
        layouts = site / "layouts" / "_default"
        layouts.mkdir(parents=True)
        date_form = '.Date.UTC.Format "2006-01-02T15:04:05.000Z"'
        facts = f'{{{{ dict "title" .Title "date" ({date_form}) "tags" .Params.tags | jsonify }}}}'
        (layouts / "single.html").write_text(f"<pre>{facts}</pre><main>{{{{ .Content }}}}</main>")
        run_generator(site, "hugo", "--config", "hugo.json")
        check_pages(site / "public", data, "/sub")
        for path, (title, date, tags) in expected(opened(data)).items():
            page = _parsed(site / "public" / path[1:] / "index.html")
            told = json.loads(page.xpath("//pre[1]")[0].text_content())
            assert (told["title"], sorted(told["tags"] or [])) == (title, tags)
            assert date is None or told["date"] == date


@pytest.mark.long
@needs_jekyll
def test_jekyll(archives: list[Path], tmp_path: Path) -> None:
    for number, data in enumerate(archives):
        site = tmp_path / str(number)
        export(data, site, "--for", "jekyll")
        config = {
            "baseurl": "/sub",
            "strict_front_matter": True,
            "kramdown": {"smart_quotes": "apos,apos,quot,quot"},
            "defaults": [{"scope": {"path": ""}, "values": {"layout": "post"}}],
        }
        (site / "_config.yml").write_text(json.dumps(config))
        (site / "_layouts").mkdir()
        facts = "{{ page.title | jsonify }}, {{ page.date | date: '%s' }}, {{ page.tags | sort | jsonify }}"
        layout = f"<pre>[{facts}]</pre><main>{{{{ content }}}}</main>"
        (site / "_layouts" / "post.html").write_text(layout)
        run_generator(site, "jekyll", "build")
        check_pages(site / "_site", data, "/sub")
        for path, (title, date, tags) in expected(opened(data)).items():
            page = (site / "_site" / path[1:] / "index.html").read_text(encoding="utf-8")
            told = json.loads(page.removeprefix("<pre>").partition("</pre>")[0])
            assert (told[0], sorted(told[2])) == (title, tags)
            assert date is None or told[1] == int(datetime.fromisoformat(date).timestamp())
