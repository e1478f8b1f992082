"""Exports with copies of pictures: texts show them, and they lie where each program looks for them."""

from __future__ import annotations

import re
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from lxml import html

from crawler.items import Image
from pipelines.archive.lock import open_locked as held
from pipelines.images import rows
from pipelines.images.paths import path_of
from tests.conftest import ARTICLE
from tests.site.pictures import png
from tests.support.archives import files as archived
from tests.support.commands import here
from tests.support.exports import export, files, make_archive
from tests.support.generators import GENERATORS, build

LOAF, OVEN, GONE = (f"https://pictures.example/{name}.png" for name in ("loaf", "oven", "gone"))
ODD = ["https://pictures.example/_a.png", "https://pictures.example/x_a.png"]
SPACED = "https://pictures.example/caf%C3%A9%20au%20lait/it's%20(one).png"
BODY = f"""\
![A loaf]({LOAF}), ![an oven](<{OVEN}> "hot"), ![gone]({GONE}), [![linked]({LOAF})](https://elsewhere.example/)
and ![by reference][oven]. To see it: [loaf]({LOAF}), <{LOAF}>, `![A loaf]({LOAF})`.

![odd]({ODD[0]}) ![odd]({ODD[1]}) ![spaced](<{SPACED}>) <img src="{LOAF}">

    ![code]({LOAF})

[oven]: {OVEN}"""


def keep(data: Path, *urls: str) -> None:
    """Puts copies of these pictures into an archive."""
    with held(data / "archive.db") as db, db.atomic():
        for url in urls:
            path, content = path_of(url, "image/png"), png(url)
            (data / "images" / path).parent.mkdir(parents=True, exist_ok=True)
            (data / "images" / path).write_bytes(content)
            rows.put_copy(db, url, path, "image/png", content, fetched_at="2024-08-16T04:52:24.000Z")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An archive with an article, and copies of its pictures but one."""
    shown = [Image(url) for url in (LOAF, OVEN, GONE, *ODD, SPACED)]
    bread = replace(ARTICLE, body=BODY, images=shown, thumbnail=OVEN, also_read=[])
    data = make_archive(
        tmp_path / "data", bread, replace(ARTICLE, url="https://two.techidaily.com/jam/", images=[])
    )
    keep(data, LOAF, OVEN, *ODD, SPACED)
    return data


PLACES = {
    "plain": ("images/", "one.techidaily.com/bread.md", "../images/pictures.example/{}"),
    "obsidian": ("images/", "one.techidaily.com/bread.md", "../images/pictures.example/{}"),
    "hexo": ("source/images/", "source/_posts/one.techidaily.com/bread.md", "/images/pictures.example/{}"),
    "hugo": ("static/images/", "content/one.techidaily.com/bread.md", "/images/pictures.example/{}"),
    "jekyll": (
        "images/",
        "_posts/one.techidaily.com/2024-08-16-bread.md",
        "{{{{ site.baseurl }}}}/images/pictures.example/{}",
    ),
}


@pytest.mark.parametrize("flavour", PLACES)
def test_texts_show_the_copies(data: Path, tmp_path: Path, flavour: str) -> None:
    folder, article, address = PLACES[flavour]
    export(data, tmp_path / "out", "--for", flavour, "--images")
    out = files(tmp_path / "out")
    assert out[f"{folder}pictures.example/loaf.png"] == png(LOAF)
    assert len([path for path in out if path.startswith(folder)]) == 5
    loaf, oven = address.format("loaf.png"), address.format("oven.png")
    text = out[article].decode().partition("\n---\n\n")[2]
    assert text.startswith(
        f'![A loaf]({loaf}), ![an oven]({oven} "hot"), ![gone]({GONE}), '
        f"[![linked]({loaf})](https://elsewhere.example/)\nand ![by reference][oven]. "
    )
    assert f"To see it: [loaf]({LOAF}), <{LOAF}>, `![A loaf]({LOAF})`." in text, "links lead where they led"
    assert f'<img src="{LOAF}">\n\n    ![code]({LOAF})\n\n[oven]: {oven}' in text


@pytest.mark.parametrize("flavour", PLACES)
def test_every_file_has_a_place_of_its_own_that_the_text_names(
    data: Path, tmp_path: Path, flavour: str
) -> None:
    folder, article, _ = PLACES[flavour]
    export(data, tmp_path / "out", "--for", flavour, "--images")
    out = files(tmp_path / "out")
    shown = re.findall(
        r"!\[(?:odd|spaced)\]\((?:\.\.|\{\{ site.baseurl \}\})?/(images/[^)]*)", out[article].decode()
    )
    named = [unquote(path).replace("images/", folder, 1) for path in shown]
    assert [out[path] for path in named] == [png(url) for url in (*ODD, SPACED)]
    assert {path[-4:] for path in named} == {".png"}
    if flavour in ("hexo", "jekyll"):
        assert not any(name.startswith("_") for path in named for name in path.split("/"))


@pytest.mark.parametrize(
    ("flavour", "thumbnail"),
    [
        ("plain", OVEN),
        ("obsidian", "'[[images/pictures.example/oven.png]]'"),
        *((flavour, "/images/pictures.example/oven.png") for flavour in ("hexo", "hugo", "jekyll")),
    ],
)
def test_a_site_shows_the_copy_of_the_thumbnail(
    data: Path, tmp_path: Path, flavour: str, thumbnail: str
) -> None:
    export(data, tmp_path / "out", "--for", flavour, "--images")
    text = files(tmp_path / "out")[PLACES[flavour][1]].decode()
    assert re.search(r"^ *thumbnail: (.*)$", text, re.MULTILINE)[1] == thumbnail  # type: ignore[index]
    assert LOAF in text.partition("\n---\n\n")[0], "the list keeps the addresses"


def test_without_images_all_is_as_it_was(data: Path, tmp_path: Path) -> None:
    export(data, tmp_path / "out")
    assert files(tmp_path / "out") == archived(data)
    export(data, tmp_path / "out", "--images")
    assert files(tmp_path / "out") != archived(data)
    said = export(data, tmp_path / "out", "--prune")
    assert "5 removed" in said
    assert files(tmp_path / "out") == archived(data)
    assert not (tmp_path / "out" / "images").exists()


def test_the_addresses_come_back_by_an_import(data: Path, tmp_path: Path) -> None:
    """The text stays as the export has it; the list, which copies are asked for by, has the addresses."""
    export(data, tmp_path / "out", "--images")
    assert here("import", tmp_path / "out", "--data", tmp_path / "other").exit_code == 0
    with held(tmp_path / "other" / "archive.db") as db:
        shown = db.execute("SELECT url FROM images ORDER BY position").fetchall()
        assert db.execute("SELECT DISTINCT thumbnail FROM articles WHERE thumbnail = ?", [OVEN]).fetchall()
    assert [url for (url,) in shown] == [LOAF, OVEN, GONE, *ODD, SPACED]


def test_again_only_what_changed_is_written(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert "7 files written, 0 unchanged" in export(data, target, "--images")
    before = {path: path.stat() for path in target.rglob("*.*") if path.is_file()}
    assert "0 files written, 7 unchanged" in export(data, target, "--images")
    assert {path for path in before if path.stat() != before[path] and "manifest" not in path.name} == set()
    keep(data, GONE)
    assert "2 files written, 6 unchanged" in export(data, target, "--images"), "the picture and its text"
    assert f"]({GONE})" not in files(target)["one.techidaily.com/bread.md"].decode()
    (data / "images" / "pictures.example" / "gone.png").unlink()
    assert "1 file written, 6 unchanged, 1 removed" in export(data, target, "--images", "--prune")
    assert f"![gone]({GONE})" in files(target)["one.techidaily.com/bread.md"].decode()


def test_a_picture_that_somebody_changed_is_kept(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    export(data, target, "--images")
    (target / "images" / "pictures.example" / "loaf.png").write_bytes(b"cropped")
    done = here("export", target, "--data", data, "--images")
    assert done.exit_code == 1
    assert f"Warning: {target}/images/pictures.example/loaf.png was not written by export" in done.stderr
    assert (target / "images" / "pictures.example" / "loaf.png").read_bytes() == b"cropped"


def test_only_pictures_of_the_chosen_articles_come_along(data: Path, tmp_path: Path) -> None:
    export(data, tmp_path / "out", "--images", "--host", "two.*")
    assert set(files(tmp_path / "out")) == {"two.techidaily.com/jam.md"}


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_packed_they_are_the_same(data: Path, tmp_path: Path, kind: str) -> None:
    export(data, tmp_path / "out", "--images")
    packed = tmp_path / f"out.{kind}"
    export(data, packed, "--images", "--to", kind)
    if kind == "zip":
        with zipfile.ZipFile(packed) as archive:
            held = {name: archive.read(name) for name in archive.namelist()}
    else:
        with tarfile.open(packed) as tar:
            held = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert held == files(tmp_path / "out")


@pytest.mark.parametrize("options", [[], ["--to", "zip"]])
def test_a_damaged_copy_does_not_leave_the_archive(data: Path, tmp_path: Path, options: list[str]) -> None:
    (data / "images" / "pictures.example" / "loaf.png").write_bytes(b"damaged")
    done = here("export", tmp_path / "out", "--data", data, "--images", *options)
    assert done.exit_code == 7
    assert "loaf.png is missing or damaged: `alsoread verify --repair`" in done.stderr


def test_many_are_copied_by_several_processes(tmp_path: Path) -> None:
    urls = [f"https://pictures.example/{number}.png" for number in range(900)]
    data = make_archive(
        tmp_path / "data", replace(ARTICLE, images=[Image(url) for url in urls], also_read=[])
    )
    keep(data, *urls)
    last = data / "images" / "pictures.example" / "899.png"
    last.write_bytes(b"damaged")
    done = here("export", tmp_path / "out", "--data", data, "--images")
    assert (done.exit_code, f"{last} is missing or damaged" in done.stderr) == (7, True)
    last.write_bytes(png(urls[-1]))
    export(data, tmp_path / "out", "--images")
    assert f"0 files written, {1 + len(urls)} unchanged" in export(data, tmp_path / "out", "--images")
    copied = {path for path in files(tmp_path / "out") if path.startswith("images/")}
    assert copied == {f"images/pictures.example/{number}.png" for number in range(900)}


def test_a_table_has_no_pictures(data: Path, tmp_path: Path) -> None:
    done = here("export", tmp_path / "out.csv", "--data", data, "--images", "--format", "csv")
    assert (done.exit_code, "--images requires --format md." in done.stderr) == (2, True)


# The programs themselves


def _check(built: Path, base: str = "") -> None:
    """Every picture that the page shows and that has a copy is there, byte for byte."""
    page = html.fromstring((built / "one.techidaily.com" / "bread" / "index.html").read_bytes())
    shown = [str(picture.get("src")) for picture in page.iter("img")]
    local = [unquote(src) for src in shown if not src.startswith("https:")]
    assert len(shown) - len(local) == 2, "the one that is gone, and the one in HTML"
    assert [src.startswith(f"{base}/images/pictures.example/") for src in local] == [True] * 7
    assert {(built / src.removeprefix(base)[1:]).read_bytes() for src in local} == {
        png(url) for url in (LOAF, OVEN, *ODD, SPACED)
    }


@pytest.mark.long
@pytest.mark.parametrize("generator", GENERATORS)
def test_a_site_shows_the_copies(data: Path, tmp_path: Path, generator: str) -> None:
    export(data, tmp_path / "site", "--for", generator, "--images")
    _check(build(tmp_path / "site", generator), "" if generator == "hugo" else "/sub")
