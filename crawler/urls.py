"""Addresses: one page, one spelling. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from posixpath import normpath
from urllib.parse import urlsplit

from w3lib.url import safe_url_string

# `/about.html` is a file; `/fix-1.5` is a folder that the server shows with a slash behind it.
_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_INDEX = re.compile(r"/index\.html?$")
_SLASHES = re.compile(r"/{2,}")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PORTS = {"http": 80, "https": 443}
ANYWHERE = "the open web"
"""Stands among domains for every host; reasons name it."""

# Most addresses are in their one spelling already; no segment begins with a dot here.
_CANONICAL = re.compile(r"https://[a-z0-9][a-z0-9.-]*[a-z0-9]/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*")


def canonical(url: str) -> str:
    """The one spelling of an http(s) address: what a page is known by.

    https, lower-case ASCII host, default port cut, no user, query or fragment (the sites are static),
    percent-encoding as RFC 3986 section 6.2.2 has it, `/index.html` cut, one trailing slash.

    >>> canonical("HTTP://Howto.TechiDaily.com/a//b/./index.html?p=1#top")
    'https://howto.techidaily.com/a/b/'
    >>> canonical("https://howto.techidaily.com")
    'https://howto.techidaily.com/'
    >>> canonical("https://howto.techidaily.com:443/caf%c3%a9%7e")
    'https://howto.techidaily.com/caf%C3%A9~/'
    >>> canonical("https://howto.techidaily.com/café/about.html")
    'https://howto.techidaily.com/caf%C3%A9/about.html'
    >>> canonical("javascript:void(0)")
    Traceback (most recent call last):
    ValueError: not an http or https address: javascript:void(0)
    """
    if _CANONICAL.fullmatch(url):
        return url
    try:
        parts = urlsplit(url.strip())
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        host = host.rstrip(".").encode("idna").decode("ascii").lower() if host else None
    except (ValueError, UnicodeError):
        raise ValueError(f"not a valid address: {url}") from None
    if scheme not in _PORTS or not host:
        raise ValueError(f"not an http or https address: {url}")
    netloc = host if port in (None, 80, 443) else f"{host}:{port}"
    return f"https://{netloc}{_canonical_path(parts.path)}"


def _canonical_path(path: str) -> str:
    path = _ESCAPE.sub(_canonical_escape, safe_url_string(path)) if path else "/"
    path = _SLASHES.sub("/", path)
    slash = path.endswith(("/", "/.", "/.."))
    path = _INDEX.sub("/", normpath(path) + ("/" if slash else ""))
    path = _SLASHES.sub("/", path)
    return path if path.endswith("/") or _FILE.search(path) else path + "/"


def _canonical_escape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else f"%{match[1].upper()}"


def in_scope(url: str, domains: Iterable[str]) -> bool:
    """Whether an address belongs to one of the domains or their subdomains: on the web's ports, without a user.

    >>> in_scope("https://howto.techidaily.com/a/", ["techidaily.com"])
    True
    >>> in_scope("https://techidaily.com.example.org/a/", ["techidaily.com"])
    False
    >>> in_scope("https://techidaily.com@example.org/", ["techidaily.com"])
    False
    >>> in_scope("https://howto.techidaily.com:8443/", ["techidaily.com"])
    False
    >>> in_scope("https://pictures.example/a.png", [ANYWHERE]), in_scope("file:///a.png", [ANYWHERE])
    (True, False)
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    if parts.scheme not in _PORTS or port not in (None, _PORTS[parts.scheme]) or "@" in parts.netloc:
        return False
    return host_in_scope(host, domains)


def host_in_scope(host: str, domains: Iterable[str]) -> bool:
    """Whether a host is one of the domains or below one."""
    return any(domain in (host, ANYWHERE) or host.endswith(f".{domain}") for domain in domains)


def host_of(url: str) -> str:
    """The host of a canonical address, with its port where it has one.

    >>> host_of("https://howto.techidaily.com/caf%C3%A9/")
    'howto.techidaily.com'
    """
    return url.split("/", 3)[2]


def named_host(url: str) -> str:
    """The host of an address that may be any text; empty where it names none.

    >>> named_host("https://pictures.example:80/a.png"), named_host("http://[broken/"), named_host("a.png")
    ('pictures.example', '', '')
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def slug_of(url: str) -> str:
    """The path of a canonical address without the slashes at its ends, as it is encoded.

    >>> slug_of("https://howto.techidaily.com/caf%C3%A9/"), slug_of("https://howto.techidaily.com/")
    ('caf%C3%A9', '')
    """
    return url.split("/", 3)[3].strip("/")
