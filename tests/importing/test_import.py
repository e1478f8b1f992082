"""`alsoread import` and `rebuild`: exports and archives are restored, harmful files are refused."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from contextlib import closing
from io import BytesIO
from pathlib import Path

from pipelines.archive.article_file import render
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
from tests.support.archives import damage, disorder, files
from tests.support.commands import Run, alsoread, here
from tests.support.imports import BREAD, load, write
from tests.support.visits import MakeArticle

_LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
HOSTILE = {
    "no-front-matter.md": (b"# Bread\n", "no front matter"),
    "not-closed.md": (b"---\ntitle: a\n", "no front matter"),
    "broken.md": (b"---\ntitle: [New] a\n---\nText.\n", "front matter that is not valid YAML: "),
    "list.md": (b"---\n- a\n---\nText.\n", "front matter that is not a list of keys and values"),
    "tags.md": (
        b"---\ntitle: !!python/object:os.system x\n---\nText.\n",
        "front matter that is not valid YAML",
    ),
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
        "front matter that contains itself",
    ),
    "deep.md": (
        b"---\na: " + b"[" * 200_000 + b"\n---\nText.\n",
        "front matter nested more than 32 levels deep",
    ),
    "dashes.md": (
        b"---\na:\n " + b"- " * 5_000 + b"\n---\nText.\n",
        "front matter nested more than 32 levels deep",
    ),
    "date.md": (f"---\nurl: {BREAD}\ndate: soon\n---\nText.\n".encode(), "date is not a time: soon"),
    "title.md": (f"---\nurl: {BREAD}\ntitle: {{a: b}}\n---\nText.\n".encode(), "title is not a text"),
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
        "https://example.org/ is out of scope",
    ),
    "no-text.md": (f"---\nurl: {BREAD}\n---\n\n \n".encode(), "an article without text"),
}


def test_unusable_files_are_reported_and_the_others_are_imported(
    tmp_path: Path, article: MakeArticle
) -> None:
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
    assert done.stdout == "1 article: 1 new, 0 changed, 0 unchanged; 21 files could not be used.\n"
    reasons = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    for name, (_, reason) in HOSTILE.items():
        assert reasons.pop(f"{folder}/{name}").startswith(reason), name
    assert reasons == {
        f"{folder}/large.md": "50 MB; the largest file that is imported has 10 MB",
        f"{folder}/link.md": "a symbolic link, which is not followed",
        f"{folder}/linked": "a symbolic link, which is not followed",
        f"{folder}/zzz.md": f"the same address as {folder}/zz.md",
    }
    assert load(tmp_path / "data", BREAD).title == article().title
    assert damage(tmp_path / "data") == disorder(tmp_path / "data") == []


def test_the_exit_code_is_2_if_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Text.")
    assert here("import", tmp_path / "a.md", "--data", tmp_path / "data").exit_code == 2
    assert here("import", tmp_path / "b.md", "--data", tmp_path / "data").exit_code == 2
    (tmp_path / "empty").mkdir()
    nothing = here("import", tmp_path / "empty", "--data", tmp_path / "data")
    assert (nothing.exit_code, nothing.stderr) == (
        2,
        f"alsoread: No Markdown or WARC files in {tmp_path / 'empty'}.\n",
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
    for message in (
        "../out.md: its name leads out",
        "/abs.md: its name leads out",
        "link.md: a symbolic link",
    ):
        assert message in done.stderr
    assert f"{cut}: can't be read to its end" in done.stderr


def test_an_export_is_restored_to_the_byte(run: Run, tmp_path: Path) -> None:
    first, data, second = tmp_path / "first", tmp_path / "data", tmp_path / "second"
    assert here("export", first, "--data", run.data, "--quiet").exit_code == 0
    assert here("import", first, "--data", data).exit_code == 0
    assert here("export", second, "--data", data, "--quiet").exit_code == 0
    exported = {path.relative_to(first): path.read_bytes() for path in first.rglob("*.md")}
    assert exported
    assert exported == {path.relative_to(second): path.read_bytes() for path in second.rglob("*.md")}
    assert files(data) == files(run.data)
    assert damage(data) == disorder(data) == []


def test_rebuild_makes_a_catalog_of_the_files_alone(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(run.data / "articles", data / "articles")
    assert here("rebuild", "--data", data).exit_code == 0
    assert damage(data) == disorder(data) == []
    query = "SELECT url, title, date, tags, body, words, license FROM articles ORDER BY url"
    links = "SELECT source, target, position, text FROM also_read_links WHERE position NOT NULL ORDER BY 1, 3"
    with closing(open_readonly(data / "archive.db")) as db:
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
    assert "archive.db exists. Move it away first, or use another --data." in again.stderr


def test_a_locked_archive_is_left_alone(catalog: Catalog, tmp_path: Path, article: MakeArticle) -> None:
    path = write(tmp_path / "in.md", article())
    done = alsoread("import", path, "--data", catalog.path.parent)
    assert done.returncode == 5
    assert "is locked by" in done.stderr
