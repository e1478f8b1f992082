"""Fill in the template of the files' paths, so that no path leaves the export's folder."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from string import Formatter
from typing import Any

from crawler.errors import UsageError
from pipelines.archive.files import with_hash

LISTS = ("tags", "categories")
"""Fields of which the first value is used."""
TEXTS = ("title", "author", "lang", *LISTS)
TIMES = ("date", "updated")
FIELDS = ("host", "slug", *TEXTS, *TIMES)

_MAX_TEXT_BYTES = 200
"""Longest text in a name."""
_MAX_NAME_BYTES = 240
"""Longest name: with its hash it fits into the 255 that file systems take."""
_DATE_FORMAT = "%Y-%m-%d"
_ABSENT = "unknown"

# Characters that some file system does not take in a name.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]+')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
# What generators do not agree on how to write, what ends a template's tag, and what Hugo takes for a folder.
_IN_ADDRESS = re.compile(r"[%#\s'\"{}]|\.\.")
_LEAVES = re.compile(r"(?:^|/)\.{0,2}(?:/|$)")


class Layout:
    """A template such as `{host}/{date:%Y}/{slug}.md`. Raises UsageError if it is not valid.

    Absent texts are `unknown`; an absent `date` is `updated`, and where that is absent too, the day on which
    the article came into the archive.
    """

    def __init__(self, template: str, fit: Callable[[str], str]) -> None:
        """`fit` changes one name of a path to what the reading program takes."""
        self._fit = fit
        try:
            self._parts = list(Formatter().parse(template))
        except ValueError as error:
            raise UsageError(f"--path {template}: {error}.") from None
        for _, name, spec, conversion in self._parts:
            if name is not None and name not in FIELDS:
                raise UsageError(
                    f"--path {template}: there is no {{{name}}}; choose from {', '.join(FIELDS)}."
                )
            if conversion or (spec and name not in TIMES):
                raise UsageError(f"--path {template}: only a date takes a form, as {{date:%Y-%m}}.")
        row: dict[str, Any] = dict.fromkeys(TEXTS) | dict.fromkeys(LISTS, "[]")
        example = self._fill("host", "slug", "2024-08-16T00:00:00Z", row)
        if _LEAVES.search(example) or _UNSAFE.search(example.replace("/", "")):
            raise UsageError(f"--path {template} leads out of the folder, or has a bad name in it.")
        if not example.endswith(".md"):
            raise UsageError(f"--path {template} must end with .md.")
        outline = "".join(literal + "\0" * (name is not None) for literal, name, _, _ in self._parts)
        self._own = {name for name in outline.split("/") if "\0" not in name}
        self.columns = [name for _, name, _, _ in self._parts if name in TEXTS or name in TIMES]

    def path(self, archived: str, row: Mapping[str, Any]) -> str:
        """Return an article's path; `archived` is its file in the archive, `row` has `columns` and `archived_at`."""
        host, _, slug = archived.removesuffix(".md").partition("/")
        moment = row.get("date") or row.get("updated") or row["archived_at"]
        filled = self._fill(host, slug, moment, row)
        return "/".join([n if n in self._own else _short(self._fit(n)) for n in filled.split("/")])

    def _fill(self, host: str, slug: str, moment: str, row: Mapping[str, Any]) -> str:
        filled = ""
        for literal, name, spec, _ in self._parts:
            filled += literal
            if name == "host":
                filled += host
            elif name == "slug":  # it may name folders, but not in the middle of a name
                filled += slug if filled.endswith("/") or not filled else slug.replace("/", "-")
            elif name in TIMES:
                filled += in_form(datetime.fromisoformat(row.get(name) or moment), spec or _DATE_FORMAT)
            elif name:
                text = row[name]
                filled += _name((next(iter(json.loads(text)), None) if name in LISTS else text) or _ABSENT)
        return filled


def in_form(moment: datetime, form: str) -> str:
    """Return a time in a form of strftime, with four digits of the year on any system.

    >>> in_form(datetime(500, 1, 2), "%Y-%m-%d")
    '0500-01-02'
    """
    return moment.strftime(form.replace("%Y", f"{moment.year:04}"))


def _name(text: str) -> str:
    """Return a text as a part of a name.

    >>> _name("Bread: a beginner's guide?"), _name("../../etc"), _name("..")
    ("Bread- a beginner's guide-", '-..-etc', '-')
    """
    name = _UNSAFE.sub("-", unicodedata.normalize("NFC", text))
    name = name.encode()[:_MAX_TEXT_BYTES].decode(errors="ignore").strip(". ") or "-"
    return f"{name}-" if _DEVICE.match(name) else name


def _short(name: str) -> str:
    if len(name) <= _MAX_NAME_BYTES // 4 or len(name.encode()) <= _MAX_NAME_BYTES:
        return name
    short = name.encode()[:_MAX_TEXT_BYTES].decode(errors="ignore").strip(". ")
    return marked(f"{short}.md" if name.endswith(".md") else short, name)


def marked(path: str, source: str, suffix: str = ".md") -> str:
    """Return the path with eight digits of a hash of what it stands for, before the suffix.

    >>> marked("one/tea.md", "https://one.techidaily.com/Tea/")
    'one/tea~434252fb.md'
    """
    stem, end = (path.removesuffix(suffix), suffix) if path.endswith(suffix) else (path, "")
    return f"{with_hash(stem, source)}{end}"


def address(archived: str, url: str) -> str:
    """Return an article's address on a site that is made of the export; `archived` is its file in the archive.

    >>> address("one.techidaily.com/bread.md", "https://one.techidaily.com/bread/")
    '/one.techidaily.com/bread/'
    """
    name = archived.removesuffix(".md")
    plain = _IN_ADDRESS.sub("-", name)
    return f"/{plain if plain == name else marked(plain, url)}/"


def folded(path: str) -> str:
    """Return what two paths have in common that some file system takes for one."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()
