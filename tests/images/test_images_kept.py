"""Copies of pictures stay what they are: adopted by a new catalog, looked after, taken into another archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.media_types import EXTENSIONS
from pipelines.images.paths import path_of
from pipelines.verifying.verify import verify
from tests.support.commands import here
from tests.support.damages import edit
from tests.support.pictures import HOST, OF_TYPES, PNG, Pictures, archive, copies, fetch, rows

SHOWN = [f"{HOST}/loaf.{extension}" for extension in OF_TYPES]


SEGMENTS = [
    *("a", "A", "a.png", "a.PNG", "a.jpg", "a.png.webp", "_a.png", "x_a.png", "a~b.png", "", ".", ".."),
    *(
        "%2e%2e",
        "%2F",
        "%00",
        "con",
        "con.png",
        "caf%C3%A9.png",
        "caf\u00e9.png",
        "%61.png",
        "a b.png",
        "a%20b.png",
    ),
    *("(a).png", "%28a%29.png", "x" * 300 + ".png", "x" * 301 + ".png"),
]
ADDRESSES = st.builds(
    "{}://{}/{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["p.example", "P.example", "p.example:8080", "[::1]", "..", "me@p.example"]),
    st.lists(st.sampled_from(SEGMENTS), max_size=4).map("/".join) | st.just("A/" * 1000 + "a.png"),
    st.sampled_from(["", "?a=1", "?a=2", "#a"]),
)


@given(st.sets(ADDRESSES, min_size=2, max_size=30))
def test_every_picture_has_a_place_of_its_own_on_any_disk(urls: set[str]) -> None:
    paths = [path_of(url, kind) for url in urls for kind in EXTENSIONS]
    taken = {str(path).casefold() for path in paths}
    assert len(taken) == len(paths)
    assert taken.isdisjoint(str(folder).casefold() for path in paths for folder in path.parents)
    for path in paths:
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert len(str(path).encode()) < 4000
        assert max(len(name.encode()) for name in path.parts) <= 255


@pytest.fixture(scope="module")
def server() -> Iterator[Pictures]:
    with Pictures() as server:
        yield server


@pytest.fixture(scope="module")
def whole(server: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = archive(tmp_path_factory.mktemp("whole"), [*SHOWN, f"{HOST}/404.png", f"{HOST}/500.png"])
    fetch(data, server.url)
    return data


@pytest.fixture
def data(whole: Path, tmp_path: Path) -> Path:
    """An archive with copies, to do things to."""
    return copytree(whole, tmp_path / "data")


def found(data: Path) -> dict[str, str]:
    return {finding.where: finding.what for finding in verify(data)}


def test_a_catalog_that_is_made_anew_adopts_the_copies(data: Path, server: Pictures) -> None:
    held = rows(data, "url, path, hash, bytes, type", "state = 'stored'")
    (data / "archive.db").rename(data / "old.db")
    (data / "images" / "pictures.example" / "loaf.png").write_text("<html>no picture</html>")
    assert here("rebuild", "--data", data).exit_code == 0
    assert len(found(data)) == len(SHOWN), "no row knows them yet"
    before = len(server.pictures)
    done = fetch(data, server.url)
    assert f"1 fetched, 1 failed, 0 refused, 1 gone, {len(SHOWN) - 1} already there." in done.stdout
    asked = {address.removeprefix("pictures.example/") for address in server.pictures[before:]}
    assert asked == {"loaf.png", "404.png", "500.png"}
    assert rows(data, "url, path, hash, bytes, type", "state = 'stored'") == held
    assert copies(data)["pictures.example/loaf.png"] == PNG
    assert found(data) == {}


def test_damaged_and_missing_copies_are_found_put_aside_and_fetched_again(
    data: Path, server: Pictures
) -> None:
    folder = data / "images" / "pictures.example"
    (folder / "loaf.png").write_bytes(PNG[:-1])
    (folder / "loaf.gif").unlink()
    (folder / "stranger.png").write_bytes(PNG)
    (data / "images" / ".writing" / "1-1").write_bytes(PNG[:9])
    assert found(data) == {
        "images/pictures.example/loaf.png": "is not what was fetched",
        "images/pictures.example/loaf.gif": "is missing",
        "images/pictures.example/stranger.png": "a file without a row",
        "images/.writing/1-1": "half written by a run that was killed",
    }
    done = json.loads(here("verify", "--repair", "--json", "--data", data).stdout)
    assert [finding["where"] for finding in done["found"]] == ["images/pictures.example/stranger.png"]
    (aside,) = (data / "damaged").rglob("*.png")
    assert aside.read_bytes() == PNG[:-1]
    assert "2 fetched, 1 failed" in fetch(data, server.url).stdout
    assert list(found(data)) == ["images/pictures.example/stranger.png"]
    assert copies(data)["pictures.example/loaf.png"] == PNG


@pytest.mark.parametrize(
    ("column", "value"), [("path", "../archive.db"), ("path", "x.png"), ("type", "text/html")]
)
def test_a_row_leads_nowhere_else(data: Path, server: Pictures, column: str, value: str) -> None:
    edit(data, f"UPDATE pictures SET {column} = ? WHERE url = ?", value, SHOWN[0])
    assert "its path is not that of its address" in found(data).values()
    here("verify", "--repair", "--data", data)
    assert (data / "archive.db").is_file()
    assert not (data / "damaged").exists()
    assert "already there" in fetch(data, server.url).stdout, "the copy in its place is adopted"
    assert found(data) == {}


@pytest.mark.parametrize(
    "wrong",
    ["hash = NULL", "due_at = NULL, state = 'stored'", "state = 'failed'", "fetched_at = 'yesterday'"],
)
def test_a_row_that_can_not_be_is_found(data: Path, wrong: str) -> None:
    url = f"{HOST}/500.png" if "stored" in wrong else SHOWN[0]
    edit(data, f"UPDATE pictures SET {wrong} WHERE url = ?", url)
    assert f"pictures {url}" in found(data)


def test_merged_archives_have_the_pictures_of_both(
    data: Path, whole: Path, server: Pictures, tmp_path: Path
) -> None:
    mine = archive(tmp_path / "mine", [*SHOWN[:2], f"{HOST}/500.png"], "https://two.techidaily.com/jam/")
    fetch(mine, server.url)
    (data / "images" / "pictures.example" / "loaf.gif").unlink()
    (data / "images" / "pictures.example" / "loaf.bmp").write_bytes(b"damaged")
    (data / "images" / "pictures.example" / "loaf.png").write_bytes(b"damaged, but nobody needs it")
    done = here("merge", data / "archive.db", "--data", mine)
    assert done.exit_code == 0
    assert f"{len(SHOWN) - 4} pictures." in done.stdout, "all but two that were here and two without a copy"
    assert copies(mine) == {
        path: body for path, body in copies(whole).items() if path[-3:] not in ("gif", "bmp")
    }
    assert found(mine) == {}
    due = dict(rows(mine, "url, error", "state = 'failed' AND url LIKE '%/loaf.%'"))
    assert set(due) == {f"{HOST}/loaf.gif", f"{HOST}/loaf.bmp"}
    assert set(due.values()) == {f"{data} had no valid copy of it"}
    assert rows(mine, "state", f"url = '{HOST}/404.png'") == [("gone",)]
    held = rows(mine)
    assert " 0 pictures." in here("merge", data / "archive.db", "--data", mine).stdout
    assert rows(mine) == held
    assert "2 fetched" in fetch(mine, server.url).stdout
    assert found(mine) == {}
