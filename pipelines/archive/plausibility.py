"""Judge whether a new reading of an archived article is plausible as a change by its author. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from crawler.items import Article
from crawler.text import count_mojibake, counted
from pipelines.archive.article_file import render
from pipelines.archive.files import hash_of
from pipelines.archive.quarantine import Archived

CONFIRMED_AFTER = timedelta(days=7)
"""Time after which a doubtful reading that stays the same is accepted, if its rule is confirmable."""

_SHORT_WORDS = 40
"""Words of an archived article up to which any share of them may change."""
_LOST_WORDS_SHARE = 1 / 4
"""Of an archived article's words, the most that a reading may have fewer."""
_COMMON_WORDS_SHARE = 1 / 2
"""Of an archived article's words, the fewest that a reading must have in common with it."""
_FEWEST_IMAGES = 2
"""Images of an archived article from which on a reading must have at least one."""
_CHANGED_HOST_SHARE = 1 / 2
"""Of a host's archived articles, the most that one run replaces."""
_CHANGED_HOST_ARTICLES = 20
"""Articles of a host that one run replaces in any case."""
_FEWEST_MOJIBAKE = 3
"""Misread characters from which on an article is flagged: a text about encodings has a few."""
_EARLIEST_DATE = datetime(1991, 8, 6, tzinfo=UTC)
"""The day of the first web page."""
_CLOCK_TOLERANCE = timedelta(days=2)
"""How far in the future a date may be: clocks and time zones differ."""
FLAWS = ("cut-off", "too-many-links", "mojibake", "odd-date")
"""What the reason of an article that is stored with one begins with."""
_REPLACEMENT_CHARACTER = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A new reading of an article beside the archived one."""

    article: Article
    cut_off: bool
    archived: Archived
    host_articles: int = 0
    """Archived articles of the host."""
    host_changed: int = 0
    """Number of them that this run has replaced so far."""

    @property
    def same_body(self) -> bool:
        """Whether the archived text is the same."""
        return self.article.body == self.archived.body

    @property
    def same_file(self) -> bool:
        """Whether the archived article is the same in every field."""
        return hash_of(render(self.article).encode()) == self.archived.file_hash


class Rule(NamedTuple):
    """One way in which a reading can be doubtful."""

    name: str
    meaning: str
    """When it applies, as in docs/alarms.md."""
    check: Callable[[Comparison], str | None]
    """Return the problem in words, or None."""
    confirmable: bool = False
    """Whether the blogs' own template confirms it: by the same text after CONFIRMED_AFTER, or over a generic copy."""


def no_text(new: Comparison) -> str | None:
    """Any article has a text."""
    return "the article has no text" if not new.article.body or new.article.body.isspace() else None


def other_extractor(new: Comparison) -> str | None:
    """A captcha or a parked domain answers in a template of its own."""
    changed = (new.archived.extractor, new.article.extractor) == ("redefine", "generic")
    return "the page has another template than the archived one" if changed else None


def cut_off(new: Comparison) -> str | None:
    """What is missing of a page that breaks off cannot be known.

    Templates that are not known may have no end at all: what breaks off as the archived copy did is no doubt there.
    """
    if not new.cut_off:
        return None
    if new.archived.cut_off and (new.article.extractor != "redefine" or new.same_file):
        return None
    return "the page ends before its template does"


def undecodable(new: Comparison) -> str | None:
    """A replacement character stands for bytes that could not be decoded."""
    count = _undecodable(new.article.title, new.article.body)
    more = count - _undecodable(new.archived.title, new.archived.body)
    return f"{counted(more, 'more character')} cannot be decoded" if more > 0 else None


def mojibake(new: Comparison) -> str | None:
    """A site that changes its encoding may misread its own texts."""
    more = _mojibake(new.article.title, new.article.body) - _mojibake(new.archived.title, new.archived.body)
    return (
        f"{counted(more, 'more character looks', 'more characters look')} like UTF-8 read as another encoding"
        if more > 0
        else None
    )


def no_title(new: Comparison) -> str | None:
    """Articles keep a title, if not the same."""
    return "the title is missing" if new.archived.title and not new.article.title else None


def reads_less(new: Comparison) -> str | None:
    """An extractor that is newer than the archived copy finds what that has, in the same page."""
    if problem := no_text(new) or no_title(new):
        return problem
    had, has = len(new.archived.body.split()), len(new.article.body.split())
    if has < had * (1 - _LOST_WORDS_SHARE):
        return f"the text shrank from {had:,} words to {has:,}"
    if new.archived.images and not new.article.images:
        return f"{counted(new.archived.images, 'image')} before, and none now"
    return None


def no_images(new: Comparison) -> str | None:
    """Single images go, but hardly all of several."""
    lost = new.archived.images >= _FEWEST_IMAGES and not new.article.images
    return f"all {new.archived.images} images are missing" if lost else None


def shrunk(new: Comparison) -> str | None:
    """Texts are edited, but hardly shortened by much."""
    if new.same_body:
        return None
    had, has = len(new.archived.body.split()), len(new.article.body.split())
    if had < _SHORT_WORDS or has >= had * (1 - _LOST_WORDS_SHARE):
        return None
    return f"the text shrank from {had:,} words to {has:,}"


def other_text(new: Comparison) -> str | None:
    """A login page or a notice in the blog's own template has little in common with the article."""
    if new.same_body:
        return None
    had, has = Counter(new.archived.body.split()), Counter(new.article.body.split())
    words, common = had.total(), (had & has).total()
    if words < _SHORT_WORDS or common >= words * _COMMON_WORDS_SHARE:
        return None
    return f"only {common:,} of {words:,} words are in the new text"


def mass_change(new: Comparison) -> str | None:
    """Blogs edit some articles at a time; whatever changes most of them at once is no edit."""
    most = max(_CHANGED_HOST_ARTICLES, new.host_articles * _CHANGED_HOST_SHARE)
    if new.same_body or new.host_changed < most:
        return None
    return f"this run has replaced {new.host_changed:,} of the host's {new.host_articles:,} articles already"


NOT_ARTICLE = "not-article"
"""The rule for a page that no longer reads as an article."""

RULES = (
    Rule("no-text", "the article has no text", no_text),
    Rule(
        "other-extractor",
        "the archived copy was read in the blogs' own template, the new page has another",
        other_extractor,
    ),
    Rule(
        "cut-off",
        "the page ends before its template does; where the archived copy did so too, it may be the same again, or "
        "of an unknown template",
        cut_off,
    ),
    Rule("undecodable", "more characters than in the archived copy could not be decoded", undecodable),
    Rule(
        "mojibake",
        "more characters than in the archived copy look like UTF-8 read as another encoding",
        mojibake,
    ),
    Rule("no-title", "the title is missing", no_title, confirmable=True),
    Rule(
        "no-pictures",
        "the article had 2 or more images, and all are missing",
        no_images,
        confirmable=True,
    ),
    Rule(
        "shrunk",
        "more than a quarter of the words are missing (from 40 words on)",
        shrunk,
        confirmable=True,
    ),
    Rule(
        "other-text",
        "less than half of the words are in the new text (from 40 words on)",
        other_text,
        confirmable=True,
    ),
    Rule(
        "mass-change",
        "the run has replaced half of the host's articles already (from 20 on)",
        mass_change,
        confirmable=True,
    ),
)
"""The rules in their order; the first that applies is reported."""


def find_doubt(new: Comparison, now: datetime) -> tuple[Rule, str] | None:
    """Return the first rule that applies and its problem; None if the reading may be stored."""
    for rule in RULES:
        if (detail := rule.check(new)) and not (rule.confirmable and _may_differ(new, now)):
            return rule, detail
    return None


def hash_of_body(article: Article) -> str:
    """Return the SHA-256 of an article's body, in hexadecimal."""
    return hash_of(article.body.encode())


def _may_differ(new: Comparison, now: datetime) -> bool:
    """Return whether the blogs' template shows this text over a generic copy, or has shown it for long enough."""
    if new.article.extractor != "redefine":
        return False
    if new.archived.extractor == "generic":  # what was read there may have been the captcha
        return True
    since = new.archived.quarantined_at
    long_enough = since is not None and now - since >= CONFIRMED_AFTER
    return long_enough and hash_of_body(new.article) == new.archived.quarantined_hash


def find_flaw(article: Article, now: datetime) -> str | None:
    """Return the name of a flaw and what it is, for the reason with which an article is stored; None without one."""
    if (count := _mojibake(article.title, article.body)) >= _FEWEST_MOJIBAKE:
        return f"mojibake: {counted(count, 'character looks', 'characters look')} like UTF-8 read as another encoding"
    if article.date and not _EARLIEST_DATE <= article.date <= now + _CLOCK_TOLERANCE:
        return f"odd-date: {article.date.date()} is {'in the future' if article.date > now else 'before the web'}"
    return None


def _mojibake(title: str | None, body: str) -> int:
    return count_mojibake(title or "") + count_mojibake(body)


def _undecodable(title: str | None, body: str) -> int:
    return (title or "").count(_REPLACEMENT_CHARACTER) + body.count(_REPLACEMENT_CHARACTER)
