"""Let requests through to the application: who may ask, for what, and what a browser may do with the answer."""

from __future__ import annotations

import html
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from crawler.errors import UsageError
from pipelines.serve.addresses import DATABASE

Message = MutableMapping[str, Any]
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_MIN_TOKEN_CHARACTERS = 16
_TOKEN_BYTES = 24
_TOKEN_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_COOKIE = "alsoread_token"
_FEED = "/feed.atom"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_BASE_POLICY = (
    "default-src 'none'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_OUR_POLICY = f"{_BASE_POLICY}; style-src 'self'"
# Datasette's pages have a script for their tables, and style attributes.
_DATASETTE_POLICY = f"{_BASE_POLICY}; style-src 'self' 'unsafe-inline'; script-src 'self'"
# The report has its style and scripts inside; a policy of its own names their hashes, and both policies count.
_REPORT_POLICY = f"{_BASE_POLICY}; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{head}<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""
_FORM = """<p>{message}</p>
<form>
<label>Token <input type="password" name="token" required autocomplete="current-password"></label>
<button>Log in</button>
</form>"""


class Access(NamedTuple):
    """Who may use the server."""

    hosts: frozenset[str] | None
    """Names of this machine that a request may have in its Host header; None for any."""
    token: str | None
    """What a browser has to give once, and programs with each request; None if nobody has to."""


def is_loopback(address: str) -> bool:
    """Return whether only this machine reaches a server at an address, which may be `localhost`."""
    try:
        return address == "localhost" or ip_address(address).is_loopback
    except ValueError:
        return False


def access(address: str, token: str | None) -> Access:
    """Return who may use a server at an address; a token is made where other machines reach it and none is given.

    On loopback a page of the web could use a name of its own for this machine to read what is served (DNS
    rebinding), so that only the names of loopback count. Raises UsageError for a token that is easily guessed.
    """
    if token is not None and (len(token) < _MIN_TOKEN_CHARACTERS or not _TOKEN_CHARACTERS.issuperset(token)):
        raise UsageError(
            f"The token is not valid: it needs {_MIN_TOKEN_CHARACTERS} or more letters, digits, - and _."
        )
    if is_loopback(address):
        return Access(_LOOPBACK_NAMES | {address}, token)
    return Access(None, token or secrets.token_urlsafe(_TOKEN_BYTES))


class Guard:
    """Wraps an application: refuses requests, and adds headers to what the application answers."""

    def __init__(self, application: Application, access: Access) -> None:
        self._application = application
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] != "http":  # a web socket, which nothing here uses
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["path"]
        send = _with_headers(send, _policy(path))
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(
                send, 405, "Only for reading", "<p>This server changes nothing: it takes GET alone.</p>"
            )
        elif not self._is_named_right(headers.get("host", "")):
            name = html.escape(headers.get("host", ""))
            text = f"<p>This server does not answer for {name}: use http://127.0.0.1 or http://localhost.</p>"
            await _answer(send, 421, "Another name", text)
        elif self._access.token is None or self._has_token(headers):
            await self._application(scope, receive, send)
        else:
            await self._log_in(scope, receive, send)

    def _is_named_right(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        return self._access.hosts is None or name.strip("[]").lower() in self._access.hosts

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._is_token(given)
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), (self._access.token or "").encode())

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the token of an address, and keep it as a cookie; programs that read the feed keep none."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if not given or not self._is_token(given[-1]):
            message = "The token is not the right one." if given else "This archive asks for a token."
            await _answer(send, 401, "Log in", _FORM.format(message=message))
        elif scope["path"] == _FEED:
            await self._application(scope, receive, send)
        else:
            # Not by a redirect: with one from another site a browser would not send the cookie.
            cookie = f"{_COOKIE}={self._access.token}; HttpOnly; SameSite=Strict; Path=/"
            refresh = '<meta http-equiv="refresh" content="0; url=/">\n'
            link = '<p><a href="/">Go to the archive</a></p>'
            await _answer(send, 200, "Logged in", link, head=refresh, cookie=cookie)


def _policy(path: str) -> str:
    if path == "/report":
        return _REPORT_POLICY
    is_datasette = path.startswith(("/-/", f"/{DATABASE}/", f"/{DATABASE}.")) or path == f"/{DATABASE}"
    return _DATASETTE_POLICY if is_datasette else _OUR_POLICY


def _with_headers(send: Send, policy: str) -> Send:
    more = [
        (name.encode(), value.encode())
        for name, value in {**_HEADERS, "content-security-policy": policy}.items()
    ]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return send_with_headers


async def _answer(
    send: Send, status: int, title: str, content: str, *, head: str = "", cookie: str | None = None
) -> None:
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]
    if cookie:
        headers.append((b"set-cookie", cookie.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    page = _PAGE.format(head=head, title=title, content=content)
    await send({"type": "http.response.body", "body": page.encode()})
