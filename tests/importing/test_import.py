"""Markdown comes into the archive: what it wrote itself, what others wrote, and what would harm it."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extractors.source import read_source
from crawler.items import Article, Image, Link
from crawler.urls import canonical
from pipelines.archive.article_file import front_matter, path_of, render
from pipelines.archive.catalog import Catalog, read
from pipelines.archive.files import Staged, hash_of
from pipelines.archive.front_matter import yaml_block, yaml_values
from pipelines.importing.files import find
from pipelines.importing.parse import Reading
from pipelines.normalize import normalize
from tests.archive.test_front_matter import _TRAPS as TRAPS
from tests.conftest import ARTICLE, DEMO
from tests.site import posts
from tests.support.archives import damage, disorder, files
from tests.support.commands import Run, alsoread, here
from tests.support.imports import BREAD, SCOPE, SOURCE, MakeArticle, load, reads, take, write

_text = st.one_of(
    st.sampled_from(TRAPS), st.text(st.characters(exclude_categories=["Cs"])), st.text("a: #-'\"\n`|<&[")
)


@settings(max_examples=150)
@given(title=_text, texts=st.lists(_text, max_size=3), body=_text, extra=st.dictionaries(_text, _text))
def test_a_file_of_ours_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, title: str, texts: list[str], body: str, extra: dict[str, str]
) -> None:
    item = normalize(
        replace(
            ARTICLE,
            title=title,
            tags=texts,
            body=f"x{body}",
            images=[Image("https://pictures.example/a.png", alt=text or None) for text in texts],
            also_read=[Link(f"https://one.techidaily.com/{at}/", text) for at, text in enumerate(texts)],
            extractor="file",
            extra={f"own {key}": value for key, value in extra.items()},
        )
    )
    folder = tmp_path_factory.getbasetemp() / "read"
    found = reads(render(item), folder)
    assert found.article == item
    assert found.file
    assert found.file == Staged(
        found.file.temporary, str(path_of(item.url)), hash_of(render(item).encode()), is_new=True
    )
    assert (folder / ".writing" / found.file.temporary).read_bytes() == render(item).encode()
    assert render(found.article) == render(item)


@given(st.lists(st.tuples(st.sampled_from(["{}", "key: {}", "- {}", "- key: {}", "  key: {}"]), _text)))
def test_the_quick_way_to_read_yaml_is_right_or_leaves_it(lines: list[tuple[str, str]]) -> None:
    block = "\n".join(["title: a", "list:", "- b: c", *(form.format(text) for form, text in lines)])
    values = yaml_values(block)
    assert values is None or repr(values) == repr(yaml.load(block, yaml.CSafeLoader))


@given(st.dictionaries(_text, _text | st.lists(_text, min_size=1), min_size=1))
def test_what_the_archive_wrote_is_read_the_quick_way_or_left(values: dict[str, Any]) -> None:
    assert yaml_values(yaml_block(values)) in (values, None)


def test_a_file_of_ours_is_read_the_quick_way(article: MakeArticle) -> None:
    assert yaml_values(yaml_block(front_matter(article()))) == front_matter(article())


def test_the_source_of_a_post_gives_what_its_page_gives(tmp_path: Path) -> None:
    expected = {canonical(post.url): normalize(post.article) for post in posts(DEMO)}
    for folder in DEMO.glob("*.techidaily.com"):
        reading = Reading(tmp_path, folder.name, SCOPE, read_source)
        for read_ in reading(list(find(folder))):
            assert read_.article is not None, read_
            page = expected.pop(read_.article.url)
            assert read_.article.author in (None, page.author)
            for name in ("title", "description", "tags", "categories", "lang", "images", "also_read", "body"):
                assert getattr(read_.article, name) == getattr(page, name), (page.url, name)
    assert not expected


def test_a_source_is_cut_as_its_page(tmp_path: Path) -> None:
    found = take(SOURCE, tmp_path, "rest/how-to-rest.md", host="one.techidaily.com")
    assert found == Article(
        url="https://one.techidaily.com/how-to-rest/",
        title="[New] How to Rest",
        author="Ada Baker",
        author_source="byline",
        date=datetime(2024, 3, 1, 9, 12, 41, 115000, tzinfo=UTC),
        updated=datetime(2024, 3, 2, 9, 12, 41, 115000, tzinfo=UTC),
        tags=["rest"],
        categories=[],
        description=None,
        keywords=None,
        thumbnail=None,
        lang=None,
        license=None,
        body="## How to rest\n\nLie down. [A mat](https://shop.example/mat/) will do.\n\n"
        "![a mat](https://pictures.example/mat.png)",
        images=[Image("https://pictures.example/mat.png", alt="a mat")],
        also_read=[
            Link("https://two.techidaily.com/jam/", "Jam & More"),
            Link("https://example.org/shop/", "Shop"),
        ],
        extractor="source",
        extra={"mood": "calm", "seen": "2024-02-29", "byline_date": "2024-03-27"},
    )


@pytest.mark.parametrize(
    ("front_matter", "host", "url"),
    [
        (f"url: {BREAD}", None, BREAD),
        ("source_url: http://ONE.techidaily.com/bread/index.html\npermalink: /a/b/", None, BREAD),
        ("canonical_url: https://one.techidaily.com/bread", None, BREAD),
        ("permalink: https://one.techidaily.com/bread", None, BREAD),
        ("permalink: my bread/", "one.techidaily.com", "https://one.techidaily.com/my%20bread/"),
        ("title: a", "one.techidaily.com", "https://one.techidaily.com/post/"),
        ("url: /a/\nparams:\n  source_url: https://one.techidaily.com/bread/", None, BREAD),
    ],
)
def test_where_an_address_comes_from(tmp_path: Path, front_matter: str, host: str | None, url: str) -> None:
    found = take(f"---\n{front_matter}\n---\nText.\n", tmp_path, host=host)
    assert (found.url, found.extra) == (url, {})


def test_keys_as_other_programs_have_them(tmp_path: Path) -> None:
    found = take(
        f"\ufeff---\r\nsource_url: {BREAD}\r\nlastmod: 2024-01-02 03:04:05 +0000\r\ndate: 2024-01-01\r\n"
        "title: 2024\r\ntags: one\r\ncategories: [[a], [b]]\r\nkeywords: [x, y]\r\nimages: [https://p.example/1]\r\n"
        "disableNunjucks: true\r\nlayout: post\r\nweight: 1.5\r\n---\r\n\r\nOne.\r\n",
        tmp_path,
    )
    assert (found.title, found.tags, found.categories, found.keywords) == ("2024", ["one"], ["a", "b"], "x,y")
    assert found.date == datetime(2024, 1, 1, tzinfo=UTC)
    assert found.updated == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.images == [Image("https://p.example/1")]
    assert (found.body, found.extra) == ("One.", {"layout": "post", "weight": 1.5})


_LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
HOSTILE = {
    "no-front-matter.md": (b"# Bread\n", "no front matter"),
    "not-closed.md": (b"---\ntitle: a\n", "no front matter"),
    "broken.md": (b"---\ntitle: [New] a\n---\nText.\n", "front matter that is no YAML: "),
    "list.md": (b"---\n- a\n---\nText.\n", "front matter that is no list of keys and values"),
    "tags.md": (b"---\ntitle: !!python/object:os.system x\n---\nText.\n", "front matter that is no YAML"),
    "latin.md": (b"---\ntitle: caf\xe9\n---\nText.\n", "not UTF-8 (byte 14)"),
    "laughs.md": (
        f"---\na0: &a0 [x]\n{_LAUGHS}---\nText.\n".encode(),
        "front matter with more than 20 aliases",
    ),
    "merges.md": (
        b"---\na: &a {x: 1}\n" + b"".join(b"b: {<<: [*a, *a, *a]}\n" for _ in range(7)) + b"---\nText.\n",
        "front matter with more than 20 aliases",
    ),
    "itself.md": (
        f"---\nurl: {BREAD}\nown: &a [*a]\n---\nText.\n".encode(),
        "front matter that holds itself",
    ),
    "deep.md": (
        b"---\na: " + b"[" * 200_000 + b"\n---\nText.\n",
        "front matter nested more than 32 levels deep",
    ),
    "dashes.md": (
        b"---\na:\n " + b"- " * 5_000 + b"\n---\nText.\n",
        "front matter nested more than 32 levels deep",
    ),
    "date.md": (f"---\nurl: {BREAD}\ndate: soon\n---\nText.\n".encode(), "date is no time: soon"),
    "title.md": (f"---\nurl: {BREAD}\ntitle: {{a: b}}\n---\nText.\n".encode(), "title is no text"),
    "image.md": (
        f"---\nurl: {BREAD}\nimages: [{{}}]\n---\nText.\n".encode(),
        "images has an entry without a url",
    ),
    "no-address.md": (
        b"---\ntitle: a\n---\nText.\n",
        "no address (url, source_url, canonical_url, permalink)",
    ),
    "elsewhere.md": (
        b"---\nurl: https://example.org/\n---\nText.\n",
        "https://example.org/ is outside of what",
    ),
    "no-text.md": (f"---\nurl: {BREAD}\n---\n\n \n".encode(), "an article without text"),
}


def test_what_is_no_article_is_told_and_the_rest_goes_on(tmp_path: Path, article: MakeArticle) -> None:
    folder = tmp_path / "in"
    write(folder / "zz.md", article())
    write(folder / "zzz.md", article(title="Again"))
    for name, (content, _) in HOSTILE.items():
        (folder / name).write_bytes(content)
    (folder / "large.md").write_bytes(b"---\ntitle: a\n---\n" + b"x " * 25 * 2**20)
    (folder / "link.md").symlink_to(folder / "zz.md")
    (folder / "linked").symlink_to(tmp_path)
    (folder / ".hidden.md").write_text("nothing")
    (folder / "picture.png").write_bytes(b"nothing")
    done = alsoread("import", folder, "--data", tmp_path / "data")
    assert done.returncode == 1
    assert done.stdout == "1 articles: 1 new, 0 changed, 0 unchanged; 21 files could not be used.\n"
    told = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    for name, (_, reason) in HOSTILE.items():
        assert told.pop(f"{folder}/{name}").startswith(reason), name
    assert told == {
        f"{folder}/large.md": "50 MB large: no article has more than 10 MB",
        f"{folder}/link.md": "a symbolic link, which is not followed",
        f"{folder}/linked": "a symbolic link, which is not followed",
        f"{folder}/zzz.md": f"the same address as {folder}/zz.md",
    }
    assert load(tmp_path / "data", BREAD).title == article().title
    assert damage(tmp_path / "data") == disorder(tmp_path / "data") == []


def test_nothing_usable_and_no_such_path(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Text.")
    assert here("import", tmp_path / "a.md", "--data", tmp_path / "data").exit_code == 2
    assert here("import", tmp_path / "b.md", "--data", tmp_path / "data").exit_code == 2
    (tmp_path / "empty").mkdir()
    nothing = here("import", tmp_path / "empty", "--data", tmp_path / "data")
    assert (nothing.exit_code, nothing.stderr) == (
        2,
        f"alsoread: No Markdown files in {tmp_path / 'empty'}.\n",
    )


def test_archives_are_read_and_never_unpacked(tmp_path: Path, article: MakeArticle) -> None:
    inside = render(article(url="https://one.techidaily.com/in-tar/")).encode()
    with tarfile.open(tmp_path / "some.tar.gz", "w:gz") as tar:
        for name in ("good.md", "../out.md", "/abs.md"):
            member = tarfile.TarInfo(name)
            member.size = len(inside)
            tar.addfile(member, BytesIO(inside))
        link = tarfile.TarInfo("link.md")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as packed:
        packed.writestr("a/good.md", render(article(url="https://one.techidaily.com/in-zip/")))
        packed.writestr("../out.md", inside)
        symlink = zipfile.ZipInfo("link.md")
        symlink.external_attr = 0o120777 << 16
        packed.writestr(symlink, "/etc/passwd")
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes((tmp_path / "some.tar.gz").read_bytes()[:200])
    before = set(tmp_path.iterdir())
    data = tmp_path / "data"
    done = here("import", tmp_path / "some.tar.gz", tmp_path / "some.zip", cut, "--data", data)
    assert done.stdout == "2 articles: 2 new, 0 changed, 0 unchanged; 6 files could not be used.\n"
    assert set(tmp_path.iterdir()) - before == {data}
    assert set(files(data)) == {"one.techidaily.com/in-tar.md", "one.techidaily.com/in-zip.md"}
    for said in ("../out.md: its name leads out", "/abs.md: its name leads out", "link.md: a symbolic link"):
        assert said in done.stderr
    assert f"{cut}: can't be read to its end" in done.stderr


def test_an_export_comes_back_to_the_byte(run: Run, tmp_path: Path) -> None:
    first, data, second = tmp_path / "first", tmp_path / "data", tmp_path / "second"
    assert here("export", first, "--data", run.data, "--quiet").exit_code == 0
    assert here("import", first, "--data", data).exit_code == 0
    assert here("export", second, "--data", data, "--quiet").exit_code == 0
    exported = {path.relative_to(first): path.read_bytes() for path in first.rglob("*.md")}
    assert exported
    assert exported == {path.relative_to(second): path.read_bytes() for path in second.rglob("*.md")}
    assert files(data) == files(run.data)
    assert damage(data) == disorder(data) == []


def test_a_catalog_is_made_of_the_files_alone(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(run.data / "articles", data / "articles")
    assert here("rebuild", "--data", data).exit_code == 0
    assert damage(data) == disorder(data) == []
    query = "SELECT url, title, date, tags, body, words, license FROM articles ORDER BY url"
    links = "SELECT source, target, position, text FROM also_read_links WHERE position NOT NULL ORDER BY 1, 3"
    with closing(read(data / "archive.db")) as db:
        for compared in (query, links, "SELECT url, images.alt FROM images ORDER BY article, position"):
            made = set(db.execute(compared))
            assert made
            assert made == set(run.db.execute(compared))
        found = db.execute(
            "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'sourdough'"
        ).fetchone()
        due = {url for (url,) in db.execute("SELECT url FROM pages WHERE state = 'due'")}
        depths = dict(db.execute("SELECT state, max(depth) FROM pages GROUP BY state"))
        assert db.execute("SELECT reason FROM crawls").fetchall() == [("rebuilt from the files",)]
    assert found[0] > 0
    assert "https://kitchen-notes.techidaily.com/a-post-that-was-taken-down/" in due
    assert depths == {"stored": 0, "due": 1, "refused": 1}
    again = here("rebuild", "--data", data)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "archive.db is there: move it away first, or name another --data." in again.stderr


def test_a_held_archive_is_left_alone(catalog: Catalog, tmp_path: Path, article: MakeArticle) -> None:
    path = write(tmp_path / "in.md", article())
    done = alsoread("import", path, "--data", catalog.path.parent)
    assert done.returncode == 5
    assert "is held by" in done.stderr
