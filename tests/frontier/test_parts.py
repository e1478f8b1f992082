"""Hosts are divided among archives by their names, and an archive stays with its part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawler.config.units import Part
from crawler.frontier.due import count_due, wanted_hosts
from crawler.items import FoundPages
from crawler.runs.crawl import settings_with
from pipelines.archive.catalog import Catalog
from tests.support.commands import here

HOSTS = [f"{name}.techidaily.com" for name in ("one", "two", "three", "four", "five", "six")]
CLUSTER = ("--cluster", "127.0.0.1:1")
"""Nothing answers there, so that a crawl that is not refused before ends there."""


def test_a_host_is_of_one_part_whatever_the_machine() -> None:
    assert [Part(1, 3).owner_of(host) for host in HOSTS] == [1, 1, 2, 2, 1, 2]


def test_the_hosts_of_a_part_that_match_a_pattern_are_wanted() -> None:
    wanted = wanted_hosts({"ALSOREAD_PART": "1/2", "ALSOREAD_HOSTS": ["t*"]})
    assert [host for host in HOSTS if wanted(host)] == [
        host for host in HOSTS if host.startswith("t") and host in Part(1, 2)
    ]


def test_what_is_due_is_of_the_part(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(FoundPages(pages=[(f"https://{host}/", None) for host in HOSTS], asked_for=True))
    own = [host for host in HOSTS if host in Part(1, 2)]
    assert 0 < len(own) < len(HOSTS)
    settings = settings_with({"ALSOREAD_DISCOVER": "links", "ALSOREAD_PART": "1/2"})
    settings.setdict({"ALSOREAD_UNLISTED_DEPTH": 9, "ALSOREAD_NEW_HOSTS": 9})
    assert count_due(tmp_path, settings) == len(own)
    announced = here("crawl", "--dry-run", "--json", HOSTS[0], "--part", "1/2", "--data", tmp_path)
    assert {row["host"] for row in json.loads(announced.stdout)["hosts"]} == set(own)


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_a_part_that_is_none(tmp_path: Path, part: str) -> None:
    done = here("crawl", "--part", part, *CLUSTER, "--data", tmp_path / "data")
    assert done.exit_code == 2
    assert done.stderr.endswith(
        f"Error: Invalid value for '--part': {part!r} is not a part such as \"2/4\", the second of four.\n"
    )


@pytest.mark.parametrize("cluster", [(), ("--cluster", "auto")])
def test_a_part_alone_is_refused(tmp_path: Path, cluster: tuple[str, ...]) -> None:
    done = here("crawl", "--part", "1/2", *cluster, "--data", tmp_path / "data")
    assert done.exit_code == 2
    assert done.stderr == (
        "alsoread: --part needs --cluster ADDRESS: the other parts are crawled on the same cluster.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [(), ("--part", "2/2", *CLUSTER), ("--part", "1/3", *CLUSTER)])
def test_an_archive_stays_with_its_part(catalog: Catalog, tmp_path: Path, options: tuple[str, ...]) -> None:
    catalog.begin_crawl(options=_options("1/2"))
    done = here("crawl", *options, "--data", tmp_path)
    assert done.exit_code == 2
    assert done.stderr == (
        f"alsoread: {tmp_path} has part 1/2 of the hosts: crawl it as that part, or merge it with another first.\n"
    )


@pytest.mark.parametrize("crawled", [["1/2"], ["2/2", "1/3"], [None], [None, "2/2"]])
def test_the_same_part_a_merged_archive_and_a_whole_one_go_on(
    catalog: Catalog, tmp_path: Path, crawled: list[str | None]
) -> None:
    for part in crawled:
        catalog.begin_crawl(options=_options(part))
    pytest.importorskip("ray", reason="ray is not installed (the extra `cluster`)")
    done = here("crawl", "--part", "1/2", *CLUSTER, "--data", tmp_path)
    assert "No Ray cluster can be used" in done.stderr


def _options(part: str | None) -> dict[str, str | None]:
    """What the archive has of a crawl's settings."""
    return {"ALSOREAD_DISCOVER": "both", "ALSOREAD_PART": part}
