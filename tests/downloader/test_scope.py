"""Which addresses belong to the blogs, in whatever way they are written."""

from __future__ import annotations

import pytest

from crawler.urls import canonical, in_scope

SCOPE = ["techidaily.com"]


@pytest.mark.parametrize(
    "url",
    [
        "https://techidaily.com/",
        "https://howto.techidaily.com/a/",
        "HTTPS://HOWTO.TechiDaily.COM/a/",
        "https://howto.techidaily.com./a/",
        "https://howto.techidaily.com:443/a/",
        "http://howto.techidaily.com:80/a/",
        "https://ｈｏｗｔｏ.techidaily.com/a/",  # full width, which IDNA maps to ASCII
    ],
)
def test_an_address_of_the_blogs(url: str) -> None:
    assert in_scope(canonical(url), SCOPE)


@pytest.mark.parametrize(
    "url",
    [
        "https://techidaily.com.example.org/a/",
        "https://nottechidaily.com/a/",
        "https://techidaily.com@example.org/a/",
        "https://techidaily.com:secret@example.org/a/",
        "https://example.org/techidaily.com/",
        "https://example.org#.techidaily.com/",
        "https://example.org?.techidaily.com/",
        "https://techid\N{CYRILLIC SMALL LETTER A}ily.com/a/",
        "https://xn--techidily-8fg.com/a/",
        "https://techidaily.com\N{FULLWIDTH FULL STOP}example.org/a/",
        "https://techidaily.co/m/",
        "https://howto.techidaily.com:8443/a/",
        "https://howto.techidaily.com:22/a/",
        "https://127.0.0.1/a/",
        "https://[::1]/techidaily.com/",
    ],
)
def test_an_address_that_only_looks_like_one_of_theirs(url: str) -> None:
    try:
        address = canonical(url)
    except ValueError:
        return  # no address at all
    assert not in_scope(address, SCOPE)


@pytest.mark.parametrize(
    "url", ["https://user@howto.techidaily.com/a/", "https://user:secret@howto.techidaily.com/a/"]
)
def test_a_user_in_an_address_is_not_sent(url: str) -> None:
    assert not in_scope(url, SCOPE)
    assert canonical(url) == "https://howto.techidaily.com/a/"
