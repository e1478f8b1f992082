"""How commands find an article: by its address, its path or its slug; and what they suggest instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ARTICLE
from tests.support.commands import here
from tests.support.imports import archive

BREAD = "https://one.techidaily.com/slow-bread/"
CAFE = "https://one.techidaily.com/caf%C3%A9-au-lait/"
JARS = "https://two.techidaily.com/jam-jars.html"
ROLLS = "https://two.techidaily.com/2024/rye-rolls/"
TEA, OTHER_TEA = "https://one.techidaily.com/tea-time/", "https://two.techidaily.com/tea-time/"
CAPITAL_TEA = "https://two.techidaily.com/Tea-Time/"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two hosts, for reading only."""
    data = tmp_path_factory.mktemp("data")
    urls = [BREAD, CAFE, JARS, ROLLS, TEA, OTHER_TEA, CAPITAL_TEA]
    archive(data, *(replace(ARTICLE, url=url, also_read=[]) for url in urls))
    return data


@pytest.mark.parametrize(
    ("wanted", "url"),
    [
        (BREAD, BREAD),
        ("HTTP://ONE.techidaily.com/slow-bread", BREAD),
        ("one.techidaily.com/slow-bread", BREAD),
        ("some/data/articles/one.techidaily.com/slow-bread.md", BREAD),
        ("one.techidaily.com/slow-bread.md", BREAD),
        ("slow-bread", BREAD),
        ("slow-bread.md", BREAD),
        ("slow-bread.html", BREAD),
        ("slow-bread/", BREAD),
        ("café-au-lait", CAFE),
        ("caf%c3%a9-au-lait", CAFE),
        ("jam-jars", JARS),
        ("jam-jars.html", JARS),
        ("rye-rolls", ROLLS),
        ("Tea-Time", CAPITAL_TEA),
    ],
)
def test_an_article_is_found(data: Path, wanted: str, url: str) -> None:
    done = here("show", wanted, "--data", data)
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"\nurl: {url}\n" in done.stdout


@pytest.mark.parametrize(
    ("wanted", "closest"),
    [
        ("https://one.techidaily.com/slow-braed/", [BREAD]),
        ("https://one.techidaily.com/2024/slow-braed/", [BREAD]),
        ("data/articles/one.techidaily.com/tea-tim.md", [TEA, OTHER_TEA]),
        ("https://two.techidaily.com/tea-tim/", [OTHER_TEA, CAPITAL_TEA, TEA]),
        ("https://tow.techidaily.com/jam-jars.html", [JARS]),
        ("slow-braed", [BREAD]),
        ("very-slow-bread", [BREAD]),
        ("ryerolls.md", [ROLLS]),
    ],
)
def test_a_mistyped_article_has_suggestions(data: Path, wanted: str, closest: list[str]) -> None:
    done = here("show", wanted, "--data", data)
    assert (done.exit_code, done.stdout) == (2, "")
    first, *others = done.stderr.splitlines()
    assert first == f"alsoread: No article {wanted} is in the archive. The closest are:"
    assert [line.strip() for line in others] == closest


@pytest.mark.parametrize(
    "wanted", ["nothing-like-it", "https://one.techidaily.com/", "", "..", "a/../%", "'--"]
)
def test_what_is_like_no_article_has_none(data: Path, wanted: str) -> None:
    done = here("show", "--data", data, "--", wanted)
    sentence = f"alsoread: No article {wanted} is in the archive: `alsoread status` tells what is.\n"
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", sentence)


@pytest.mark.parametrize("command", ["show", "history", "diff", "accept"])
def test_a_slug_of_several_articles_is_not_enough(data: Path, command: str) -> None:
    done = here(command, "tea-time", "--data", data)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "alsoread: Several articles are called tea-time; name one by its address:",
        f"  {TEA}",
        f"  {OTHER_TEA}",
    ]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("history", "Last confirmed: "),
        ("diff", f"{BREAD} has only one revision"),
        ("accept", f"{BREAD} is not quarantined"),
    ],
)
def test_every_command_takes_a_slug(data: Path, command: str, said: str) -> None:
    assert said in here(command, "slow-bread", "--data", data).output


def test_a_slug_finds_an_article_among_many_hosts(tmp_path: Path) -> None:
    urls = [f"https://host-{number}.techidaily.com/post-{number}/" for number in range(40)]
    archive(tmp_path, *(replace(ARTICLE, url=url, also_read=[]) for url in urls))
    assert f"\nurl: {urls[17]}\n" in here("show", "post-17", "--data", tmp_path).stdout
    same = [f"https://host-{number}.techidaily.com/about/" for number in range(40)]
    archive(tmp_path, *(replace(ARTICLE, url=url, also_read=[]) for url in same))
    listed = here("show", "about", "--data", tmp_path).stderr.splitlines()
    assert listed[0] == "alsoread: Several articles are called about; name one by its address:"
    assert (len(listed), listed[-1]) == (12, "  and others")
