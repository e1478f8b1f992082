"""An address has one spelling, and what has none is said to be no address."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.urls import canonical, host_of, in_scope, slug_of

EXAMPLES = int(os.environ.get("ALSOREAD_EXAMPLES", "1000"))
BREAD = "https://one.techidaily.com/bread/"


@pytest.mark.parametrize(
    "url",
    [
        "https://one.techidaily.com/bread",
        "http://one.techidaily.com/bread/",
        "HTTPS://One.TechiDaily.com:443/bread/index.html",
        "https://one.techidaily.com./bread/?p=1#top",
        "https://one.techidaily.com\u3002/bread/",
        "https://\uff4f\uff4e\uff45.techidaily.com/bread/",
        "https://user:password@one.techidaily.com//bread//",
        "https://one.techidaily.com//x/..//bread/.",
        "https://one.techidaily.com/%62r%65ad/index.htm",
        " https://one.tech\nidaily.com/bre\tad/\n",
    ],
)
def test_one_page_has_one_address(url: str) -> None:
    assert canonical(url) == BREAD


@pytest.mark.parametrize(
    ("url", "spelling"),
    [
        ("http://[::1]/", "https://[::1]/"),
        ("http://[0:0:0:0:0:0:0:1]:8080/", "https://[::1]:8080/"),
        ("https://one.techidaily.com//", "https://one.techidaily.com/"),
        ("https://one.techidaily.com//Upper/\xe9/", "https://one.techidaily.com/Upper/%C3%A9/"),
        ("https://one.techidaily.com/50%-off/", "https://one.techidaily.com/50%-off/"),
        ("https://one.techidaily.com/%%34%31/", "https://one.techidaily.com/%2541/"),
        ("https://one.techidaily.com/%2e%2e/%2E%2e/x/", "https://one.techidaily.com/x/"),
        ("https://one.techidaily.com/..%2f..%2fetc/", "https://one.techidaily.com/..%2F..%2Fetc/"),
    ],
)
def test_an_odd_address_has_one_too(url: str, spelling: str) -> None:
    assert canonical(url) == canonical(spelling) == spelling


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "bread",
            "/bread/",
            "javascript:alert(1)",
            "ftp://one.techidaily.com/",
            "https://",
            "https:///x/",
        ),
        *("https://a b/", "https://a%2eb/", "https://a..b.example/x", "https://.example/", "https://<b>/"),
        *("https://[::1/", "https://[x]/", "https://one.example:x/", "https://one.example:99999/"),
        *("https://\u2100.example/", "https://one.example/\ud800", "https://\ud800.example/"),
        f"https://{'x' * 64}.example/X",
        *("https://a..b.example/x/", "https://.example/x/", "https://a.example../x/", "https://../"),
        *(
            f"https://{'x' * 64}.example/x/",
            f"https://{'x.' * 127}example/x/",
            f"https://{'x.' * 127}example/X",
        ),
        "no address\x1b[2J",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^not (a valid|an http or https) address: ") as refused:
        canonical(url)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "url",
    [
        "https://techidaily.com.example.org/",
        "https://techidaily.com@example.org/",
        "https://user@techidaily.com/",
        "https://nottechidaily.com/",
        "https://techidaily.com:8443/",
        "https://t\u0435chidaily.com/",
        "https://xn--tchidaily-m4g.com/",
        "https://techidaily.com\\@example.org/",
        "https://[techidaily.com]/",
        "//techidaily.com/",
        "ftp://techidaily.com/",
        "https://example.org/https://techidaily.com/",
    ],
)
def test_a_look_alike_is_not_in_scope(url: str) -> None:
    assert not in_scope(url, ["techidaily.com"])
    try:
        spelling = canonical(url)
    except ValueError:
        return
    name = host_of(spelling)
    assert not in_scope(spelling, ["techidaily.com"]) or name == "techidaily.com"


pieces = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        [*'/\\:@?#.%[];&=+ \t\n\r~^|`"<>{}_-aZ0', "//", "..", "/./", "index.html", "index.htm", ".html"]
    ),
    st.sampled_from(
        [
            "%41",
            "%2f",
            "%2e",
            "%25",
            "%",
            "%4",
            "41",
            "%e9",
            "%C3%A9",
            "%zz",
            "%00",
            "\xe9",
            "e\u0301",
            "\u3002",
        ]
    ),
    st.sampled_from(
        ["\u200b", "\u202e", "\ufeff", "\x00", "\x85", "\xa0", "\ud800", "\uff0f", "\u2100", "\xdf", "\u212a"]
    ),
)
parts = st.lists(pieces, max_size=8).map("".join)
hosts = st.one_of(
    st.sampled_from(
        [
            "one.techidaily.com",
            "ONE.techidaily.com.",
            "[::1]",
            "[fe80::1%eth0]",
            "127.0.0.1",
            "m\xfcnchen.example",
        ]
    ),
    parts,
    st.ip_addresses(v=6).map("[{}]".format),
)
addresses = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["https://", "HTTP://", "http:/", "//", " https://"]),
        hosts,
        st.sampled_from(["", ":443", ":8080", ":", "/"]),
        parts,
    ),
    parts,
    st.text(),
)


@settings(max_examples=EXAMPLES)
@given(addresses)
@example("http://[::1]/")
@example("https://one.techidaily.com//")
@example("https://one.techidaily.com//Upper/\xe9/")
def test_the_spelling_of_a_spelling_is_itself(url: str) -> None:
    try:
        spelling = canonical(url)
    except ValueError:
        return
    assert canonical(spelling) == spelling
    assert spelling.startswith("https://")
    assert spelling.isascii()
    assert host_of(spelling)
    assert "//" not in slug_of(spelling)
    assert not {".", ".."} & {*slug_of(spelling).split("/")}
