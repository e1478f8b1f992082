"""Rows of addresses: hostile links in the also-read list, and redirects to where no crawl may go."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.pages import page
from tests.faults.row import DOMAIN, GOOD, UNKNOWN, Row, stored
from tests.support.hostile import Answer, Hit, reply, says

_SCOPE = "scope: "
_NO_ADDRESSES = (
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "vbscript:x", "data:text/html,x", "mailto:a@b.example"),
    *(
        "tel:123",
        "file:///etc/passwd",
        "ftp://e.example/x",
        "about:blank",
        "blob:x",
        "gopher://x/",
        "ws://e.example/",
    ),
    *(
        "https://",
        "https:///x/",
        "https://[",
        "https://[::1",
        "https://a b/",
        "https://x:99999/",
        "http://%00/",
    ),
    *("https://" + "a" * 300 + ".techidaily.com/", "https://a..techidaily.com/x/", "//", "https://:80/"),
)
_SPELLINGS = {
    # a link: where it leads, on the host of its page
    "/..%2f..%2fetc/passwd": "/..%2F..%2Fetc/passwd/",
    "/%2e%2e/%2e%2e/etc/": "/etc/",
    "/%252e%252e/x/": "/%252e%252e/x/",
    "/../../../x/": "/x/",
    "/a/./b/../c/": "/a/c/",
    "/%2Fetc%2Fpasswd": "/%2Fetc%2Fpasswd/",
    "/C:%5Cwindows%5Ccon": "/C:%5Cwindows%5Ccon/",
    "/x:stream/": "/x:stream/",
    "/a%00b/": "/a%00b/",
    "/a%0d%0aSet-Cookie:x/": "/a%0D%0ASet-Cookie:x/",
    "/%ff%fe/": "/%FF%FE/",
    "/%e2%80%ae/": "/%E2%80%AE/",
    "/con/": "/con/",
    "/aux.html": "/aux.html",
    "/nul.txt": "/nul.txt",
    "/-rf/": "/-rf/",
    "/.git/hooks/x/": "/.git/hooks/x/",
    "/.htaccess/": "/.htaccess/",
    "/trailing./": "/trailing./",
    "/trailing%20/": "/trailing%20/",
    "/fix-1.5": "/fix-1.5/",
    "/A/": "/A/",
    "/caf%C3%A9/": "/caf%C3%A9/",
    "/cafe%CC%81/": "/cafe%CC%81/",
    "/café/": "/caf%C3%A9/",
    "//x//y/": None,
    "/x/?p=1#top": "/x/",
    "/x/index.html": "/x/",
    f"/{'a' * 255}/": f"/{'a' * 255}/",
    f"/{'a' * 1500}/": f"/{'a' * 1500}/",
    f"/{'%F0%9F%98%80' * 80}/": f"/{'%F0%9F%98%80' * 80}/",
    "/x.md/y/": "/x.md/y/",
    "/~root/": "/~root/",
    "/%7Eroot/": "/~root/",
    "/%/": "/%/",
    "/%zz/": "/%zz/",
    "/a;b=c,d/": "/a;b=c,d/",
    "/*?/": "/*/",
    "/'\"<>|/": "/'%22%3C%3E%7C/",
    "/$(id)/`id`/": "/$(id)/%60id%60/",
}
_TRAPS = (f"/{'a/' * 3}", f"/{'/'.join('abcdefghijk')}/", f"/{'a/b/' * 900}")
_HOSTS = (
    # Every form of an address that is not a host of the blogs.
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0", "localhost", "10.0.0.1"),
    *(
        "169.254.169.254",
        "192.168.0.1",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
    ),
    *(
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[::127.0.0.1]",
        "172.16.0.1",
        "100.64.0.1",
        "example.org",
        f"{DOMAIN}.example.org",
        f"not{DOMAIN}",
    ),
    *(
        "techidaıly.com",
        "xn--techidaly-zub.com",
        f"a.{DOMAIN}:8443",
        f"a.{DOMAIN}:80@e.example",
        "techidaily.co",
    ),
)


def links() -> Iterator[Row]:
    """Links that lead nowhere cost nothing else: the article is archived, and the links round them are followed."""
    for number, link in enumerate(_NO_ADDRESSES):
        name = f"no-address-{number}"
        answer = _linking("/before/", link, "/behind/")
        yield _article(name, answer)
        for side in ("before", "behind"):
            yield _target(f"{name}-{side}", answer, f"/{side}/")
    for number, (link, path) in enumerate(_SPELLINGS.items()):
        answer = _linking(link)
        if path:
            yield _target(f"spelling-{number}", answer, path)
        else:
            yield _article(f"spelling-{number}", answer)
    for number, link in enumerate(_TRAPS):
        row = _target(f"trap-{number}", _linking(link), link)
        yield _refused(row.id, row.first, row.judged, "trap: ")


def _linking(*links: str) -> Answer:
    return says(reply(page(links=links).encode()))


def _article(name: str, answer: Answer) -> Row:
    return stored(name, "links", answer)


def _target(name: str, answer: Answer, path: str) -> Row:
    return stored(name, "links", answer, target=f"https://{name}.{DOMAIN}{path}")


def _refused(name: str, answer: Answer, target: str, reason: str) -> Row:
    return Row(
        id=name,
        category="links",
        first=answer,
        second=answer,
        state="refused",
        reason=reason,
        target=target,
    )


def _after_503(location: str) -> Answer:
    """A redirect that comes once the request is tried again."""
    answers = iter([reply(b"", "503 Busy")])
    redirect = reply(b"", "302 Found", location=location)

    async def answer(hit: Hit, writer: object) -> None:
        await says(next(answers, redirect))(hit, writer)  # type: ignore[arg-type]

    return answer


def outside() -> Iterator[Row]:
    """Addresses outside of the blogs, by link, by redirect and by redirect after a failure: never asked for."""
    for number, host in enumerate(_HOSTS):
        url = f"http://{host}/post/"
        ways = {
            "link": (_linking(url), "stored", None, "first"),
            "redirect": (says(reply(b"", "302 Found", location=url)), "not_article", "redirects to ", "none"),
            "retry": (_after_503(url), "not_article", "redirects to ", "none"),
        }
        for way, (answer, state, reason, copy) in ways.items():
            yield Row(
                id=f"outside-{number}-{way}",
                category="outside",
                first=answer,
                second=answer,
                state=state,
                reason=reason,
                copy=copy,  # type: ignore[arg-type]
            )


_LOCATIONS = {
    "itself": ("/post/", "redirects to itself"),
    "itself-http": ("http://{host}/post/", "redirects to itself"),
    "empty": ("", "redirects without saying where"),
    "javascript": ("javascript:alert(1)", "redirects to what is no address"),
    "data": ("data:text/html,x", "redirects to what is no address"),
    "file": ("file:///etc/passwd", "redirects to what is no address"),
    "ftp": ("ftp://e.example/", "redirects to what is no address"),
    "bracket": ("http://[", "redirects to what is no address"),
    "port": ("http://x:99999/", "redirects to what is no address"),
    "bytes": ("http://\x01\x02/", "redirects to what is no address"),
}


def redirects() -> Iterator[Row]:
    """Redirects that lead nowhere, in a circle, or on for ever; over a copy, the article stays."""
    for name, (location, said) in _LOCATIONS.items():
        for when, first in (("", None), ("-over-copy", GOOD)):
            label = f"redirect-{name}{when}"
            there = location.replace("{host}", f"{label}.{DOMAIN}")
            answer = says(reply(b"", "302 Found", location=there))
            yield Row(
                id=label,
                category="redirects",
                first=first or answer,
                second=answer,
                state="failed",
                reason=said,
                copy="first" if when else "none",
            )
    for status in (301, 302, 303, 307, 308):
        answer = says(reply(b"", f"{status} Moved", location="/other/"))
        name = f"redirect-{status}"
        yield stored(name, "redirects", answer, target=f"https://{name}.{DOMAIN}/other/")
    yield Row(
        id="redirect-userinfo",
        category="redirects",
        first=says(reply(b"", "302 Found", location="http://127.0.0.1@e.example/")),
        second=GOOD,
        state="refused",
        reason=_SCOPE,
        target="https://e.example/",
    )
    circle = says(reply(b"", "302 Found", location="/post/b/"))
    yield Row(
        id="redirect-to-a-post",
        category="redirects",
        first=circle,
        second=circle,
        state="not_article",
        reason="redirects to ",
    )
    yield Row(
        id="no-such-page",
        category="redirects",
        first=GOOD,
        second=GOOD,
        state=UNKNOWN,
        target="https://nobody-links-here.techidaily.com/",
    )
