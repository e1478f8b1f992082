"""WARC files: when one ends, how they are named, and what a batch of records that fails leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.archive.warc import WarcWriter, digest_of
from pipelines.archive.warc_index import members
from tests.support.originals import exchange


def append(writer: WarcWriter, url: str, content: bytes) -> None:
    """Append the exchange of a page with this content."""
    writer.append(exchange(url, content), digest_of(content))


def test_files_end_before_their_limit(tmp_path: Path) -> None:
    writer = WarcWriter(tmp_path, 7, {"software": "test"}, max_file_bytes=4000)
    for number in range(20):
        append(writer, f"https://one.techidaily.com/{number}/", bytes(range(256)) * 4)
    writer.close()
    found = sorted(tmp_path.glob("*.warc.gz"))
    assert len(found) > 3
    assert all(path.stat().st_size <= 4000 for path in found)
    assert sum(member.fields["warc-type"] == "response" for path in found for member in members(path)) == 20


def test_files_of_two_archives_differ_by_name(tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        writer = WarcWriter(folder, 1, {})
        append(writer, "https://one.techidaily.com/", folder.name.encode())
        writer.close()
    names = {path.name.split("-")[-1] for path in tmp_path.glob("*/*.warc.gz")}
    assert len(names) == 2


def test_a_batch_that_fails_leaves_nothing(tmp_path: Path) -> None:
    writer = WarcWriter(tmp_path, 1, {})
    with writer.batch():
        append(writer, "https://one.techidaily.com/1/", b"one")
    (path,) = tmp_path.glob("*.warc.gz")
    before = path.read_bytes()

    def fail() -> None:
        with writer.batch():
            append(writer, "https://one.techidaily.com/2/", b"two")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == before
    with writer.batch():
        append(writer, "https://one.techidaily.com/3/", b"three")
    writer.close()
    urls = [member.fields.get("warc-target-uri") for member in members(path)]
    assert urls == [None, *["https://one.techidaily.com/1/"] * 2, *["https://one.techidaily.com/3/"] * 2]


def test_a_batch_that_fails_in_its_second_file_leaves_the_first_whole(tmp_path: Path) -> None:
    writer = WarcWriter(tmp_path, 1, {}, max_file_bytes=4000)

    def fail() -> None:
        with writer.batch():
            for number in range(4):
                append(writer, f"https://one.techidaily.com/{number}/", bytes(range(256)) * 4)
            raise RuntimeError

    with writer.batch():
        append(writer, "https://one.techidaily.com/", b"one")
    with pytest.raises(RuntimeError):
        fail()
    writer.close()
    (path,) = tmp_path.glob("*.warc.gz")
    assert sum(member.location.length for member in members(path)) == path.stat().st_size
