"""Normalise addresses: one page, one spelling. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address
from posixpath import normpath
from urllib.parse import urlsplit

# `/about.html` is a file; `/fix-1.5` is a folder that the server shows with a slash behind it.
_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_INDEX = re.compile(r"/index\.html?$")
_SLASHES = re.compile(r"/{2,}")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# A percent sign of its own that would make an escape with what the next one stands for.
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})(?=[0-9A-Fa-f]?%)")
_LABELS = r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}"
_HOST = re.compile(_LABELS)
_LONGEST_HOST_CHARACTERS = 253  # what a question to a name server has room for
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PORTS = {"http": 80, "https": 443}
ANYWHERE = "the open web"
"""Stands among domains for every host; reasons name it."""

# Most addresses are in their one spelling already; no segment begins with a dot here.
_CANONICAL = re.compile(
    rf"https://(?=[^/]{{1,{_LONGEST_HOST_CHARACTERS}}}/){_LABELS}/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*"
)


def canonical(url: str) -> str:
    """Return the canonical spelling of an http(s) address, which identifies a page.

    https, lower-case ASCII host, default port cut, no user, query or fragment (the sites are static),
    percent-encoding as RFC 3986 section 6.2.2 has it, `/index.html` cut, one trailing slash.
    Applying it twice changes nothing. Raises ValueError where it is no such address.

    >>> canonical("HTTP://Howto.TechiDaily.com/a//b/./index.html?p=1#top")
    'https://howto.techidaily.com/a/b/'
    >>> canonical("https://howto.techidaily.com")
    'https://howto.techidaily.com/'
    >>> canonical("https://howto.techidaily.com:443/caf%c3%a9%7e")
    'https://howto.techidaily.com/caf%C3%A9~/'
    >>> canonical("https://howto.techidaily.com/café/about.html")
    'https://howto.techidaily.com/caf%C3%A9/about.html'
    >>> canonical("http://[0:0::1]:8080//Tea")
    'https://[::1]:8080/Tea/'
    >>> canonical("javascript:void(0)")
    Traceback (most recent call last):
    ValueError: not an http or https address: javascript:void(0)
    """
    if _CANONICAL.fullmatch(url):
        return url
    try:
        parts = urlsplit(url.strip())
        if parts.scheme in _PORTS and parts.hostname:
            host, port = _canonical_host(parts.hostname), parts.port
            netloc = host if port in (None, *_PORTS.values()) else f"{host}:{port}"
            return f"https://{netloc}{_canonical_path(parts.path)}"
    except ValueError:
        raise ValueError(f"not a valid address: {url!a}") from None
    raise ValueError(f"not an http or https address: {url if url.isprintable() else ascii(url)}")


def canonical_or_none(url: str) -> str | None:
    """Return the canonical spelling of an address; None where it is not valid."""
    try:
        return canonical(url)
    except ValueError:
        return None


def _canonical_host(host: str) -> str:
    if ":" in host:
        return f"[{IPv6Address(host.partition('%')[0]).compressed}]"
    name = host.encode("idna").decode("ascii").lower().rstrip(".")
    if len(name) > _LONGEST_HOST_CHARACTERS or not _HOST.fullmatch(name):
        raise ValueError(f"not the name of a host: {host}")
    return name


def _canonical_path(path: str) -> str:
    from w3lib.url import safe_url_string  # takes a while to load, and most commands read canonical addresses

    path = safe_url_string(_SLASHES.sub("/", path) or "/")  # two slashes at the start would name a host
    path = _ESCAPE.sub(_canonical_escape, _STRAY_PERCENT.sub("%25", path))
    path = _SLASHES.sub("/", path)
    slash = path.endswith(("/", "/.", "/.."))
    path = _INDEX.sub("/", normpath(path) + ("/" if slash else ""))
    path = _SLASHES.sub("/", path)
    return path if path.endswith("/") or _FILE.search(path) else path + "/"


def _canonical_escape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else f"%{match[1].upper()}"


def in_scope(url: str, domains: Iterable[str]) -> bool:
    """Return whether an address is in one of the domains: on the web's ports, without a user.

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
    """Return whether a host is one of the domains or below one."""
    return any(domain in (host, ANYWHERE) or host.endswith(f".{domain}") for domain in domains)


def host_of(url: str) -> str:
    """Return the host of a canonical address, with its port if it has one.

    >>> host_of("https://howto.techidaily.com/caf%C3%A9/")
    'howto.techidaily.com'
    """
    return url.split("/", 3)[2]


def named_host(url: str) -> str:
    """Return the host of an address that may be any text; empty if it has none.

    >>> named_host("https://pictures.example:80/a.png"), named_host("http://[broken/"), named_host("a.png")
    ('pictures.example', '', '')
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_data_url(url: str) -> bool:
    """Return whether an address holds its data itself, as a placeholder's does; some have a page's before it.

    >>> is_data_url("data:,"), is_data_url("https://a.techidaily.com/data:image/gif;base64,R0lGOD")
    (True, True)
    """
    return url.startswith("data:") or "data:image" in url


def slug_of(url: str) -> str:
    """Return the path of a canonical address, encoded, without the slashes at its ends.

    >>> slug_of("https://howto.techidaily.com/caf%C3%A9/"), slug_of("https://howto.techidaily.com/")
    ('caf%C3%A9', '')
    """
    return url.split("/", 3)[3].strip("/")
