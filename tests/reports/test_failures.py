"""Failed pages and the status of an archive, as the command prints them."""

from __future__ import annotations

from pathlib import Path

from tests.support.visits import MakeArticle, crawl, failed, json_of, output_of, stored


def test_status_lists_failed_pages_the_worst_host_first(tmp_path: Path, article: MakeArticle) -> None:
    one, two = "https://one.techidaily.com", "https://two.techidaily.com"
    crawl(
        tmp_path, stored(article()), failed(f"{one}/rolls/"), failed(f"{two}/jelly/"), failed(f"{two}/jam/")
    )
    crawl(tmp_path, failed(f"{two}/jelly/", "the server answers 503", status=503, retry_after=86400))
    found = json_of(tmp_path, "status", "--failed")
    assert found["failed"] == 3
    assert [
        [page[key] for key in ("url", "host", "status", "attempts", "error")] for page in found["pages"]
    ] == [
        [f"{two}/jelly/", "two.techidaily.com", 503, 2, "the server answers 503"],
        [f"{two}/jam/", "two.techidaily.com", None, 1, "no answer"],
        [f"{one}/rolls/", "one.techidaily.com", None, 1, "no answer"],
    ]
    asked_for, held_back, soon = (page["next_try"] for page in found["pages"])
    assert asked_for == held_back > soon, "a host that asked to be left alone holds back all its pages"
    count, head, *rows, advice = output_of(tmp_path, "status", "--failed").splitlines()
    assert count == "Failed pages: 3, hosts: 2"
    assert head.split() == ["tries", "next", "try", "(UTC)", "last", "error", "page"]
    assert [row.split()[-1] for row in rows] == [page["url"] for page in found["pages"]]
    assert advice == f"Retry them now: alsoread crawl --retry-failed --data {tmp_path}"


def test_status_lists_fifty_failed_pages_unless_all_are_asked_for(tmp_path: Path) -> None:
    crawl(tmp_path, *(failed(f"https://one.techidaily.com/{number}/") for number in range(52)))
    first = output_of(tmp_path, "status", "--failed")
    assert first.count("https://") == 50
    assert f"2 more: alsoread status --failed --all --data {tmp_path}\n" in first
    every = output_of(tmp_path, "status", "--failed", "--all")
    assert every.count("https://") == 52
    assert "more: " not in every
    assert len(json_of(tmp_path, "status", "--failed")["pages"]) == 52


def test_status_without_failed_pages(data: Path) -> None:
    assert output_of(data, "status", "--failed") == "No failed pages.\n"
    assert json_of(data, "status", "--failed") == {"failed": 0, "pages": []}


def test_status_as_json(data: Path) -> None:
    found = json_of(data, "status")
    assert {key: found[key] for key in ("articles", "hosts", "words", "pages")} == {
        "articles": 1,
        "hosts": 1,
        "words": 3,
        "pages": {"stored": 1, "due": 2},
    }
    assert found["last_crawl"]["id"] == 5
