"""What the network's sources say: its blogs, its posts, and each post as the archive should hold it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import frontmatter
import yaml

from crawler.items import Article, Image, Link
from crawler.urls import canonical

# The sources write local time with a Z behind it; their pages show what is left when the zone is taken off.
ZONE = timedelta(hours=8)
LICENSE = "https://creativecommons.org/licenses/by-nc-sa/4.0"

# What a page shows that is not the article; each is a block of its own.
_NOT_ARTICLE = (
    re.compile(r"<!-- affiliate ads begin -->.*?<!-- affiliate ads end -->", re.DOTALL),
    re.compile(r'<span class="atpl-alsoreadstyle">.*', re.DOTALL),
    re.compile(r"<ins\b.*?</ins>", re.DOTALL),
    re.compile(r'<img height="0".*?>'),
    re.compile(r"!\[author avatar\]\(\S+\)\n\n##### .+\n\n .+• Proven solutions"),
    re.compile(r"!\[author avatar\]\(\S+\)\n\n.+\n\n.+\n\nFollow @.+"),
)
_BYLINE = re.compile(r"!\[author avatar\]\(\S+\)\n\n##### (.+)")
_BYLINE_DAY = re.compile(r"^ (\w{3} \d{2}, \d{4})• Proven solutions", re.MULTILINE)
_ALSO_READ = re.compile(r'<li><a href="(https?:[^"]+)"><u>(.*?)</u></a></li>')
_IMAGE = re.compile(r'!\[(.*?)\]\((\S+?)(?: "(.*?)")?\)')
_VIDEO = re.compile(r'<iframe .*src="(\S+)" title="(.*?)".*</iframe>')


@dataclass(frozen=True)
class Blog:
    """One host: its `_config.yml`."""

    host: str
    title: str
    author: str
    author_label: str
    theme: str
    description: str
    keywords: str

    @property
    def url(self) -> str:
        return f"https://{self.host}/"


@dataclass(frozen=True)
class Post:
    """One Markdown source: `front` is its front matter as written, `source` all that follows it."""

    blog: Blog
    slug: str
    front: dict[str, Any]
    source: str

    @property
    def path(self) -> str:
        return f"/{quote(self.slug)}/"

    @property
    def url(self) -> str:
        return f"https://{self.blog.host}{self.path}"

    @property
    def date(self) -> datetime:
        return self._time("date")

    @property
    def updated(self) -> datetime:
        return self._time("updated")

    @cached_property
    def article(self) -> Article:
        """The post as the archive should hold it."""
        body = self._body()
        bylines = _BYLINE.findall(self.source)
        known = self.blog.theme == "redefine"
        return Article(
            url=self.url,
            title=_shown(self.front["title"]),
            author=bylines[0] if bylines else self.blog.author,
            author_source="byline" if bylines else "blog" if known else "meta",
            date=self.date,
            updated=self.updated,
            tags=self.front.get("tags", []),
            categories=self.front.get("categories", []),
            description=_shown(self.front["description"]) if "description" in self.front else None,
            keywords=None,  # no page shows them
            thumbnail=self.front["thumbnail"],
            lang=self.front.get("lang", "en"),
            license=LICENSE if known else None,
            body=body,
            images=[Image(url, alt or None, title or None) for alt, url, title in _IMAGE.findall(body)],
            also_read=[
                Link(canonical(url), _shown(unescape(text))) for url, text in _ALSO_READ.findall(self.source)
            ],
            extractor="redefine" if known else "generic",
            extra=self._beside(bylines),
        )

    def _time(self, key: str) -> datetime:
        time: datetime = self.front[key]
        return time - ZONE

    def _beside(self, bylines: Sequence[str]) -> dict[str, str]:
        """What the bylines say beside the author: their days, and the authors of further articles."""
        days = [f"{datetime.strptime(day, '%b %d, %Y'):%Y-%m-%d}" for day in _BYLINE_DAY.findall(self.source)]
        beside = {"byline_date": days, "other_authors": bylines[1:]}
        return {key: ", ".join(dict.fromkeys(said)) for key, said in beside.items() if said}

    def _body(self) -> str:
        body = _VIDEO.sub(r"[\2](\1)", self.source)
        for pattern in _NOT_ARTICLE:
            body = "\n\n".join(part.strip("\n") for part in pattern.split(body))
        return body.strip()


def blogs(source: Path) -> list[Blog]:
    """The blogs under `source`, by host."""
    return [
        Blog(host=config.parent.name, **yaml.safe_load(config.read_text(encoding="utf-8")))
        for config in sorted(source.glob("*/_config.yml"))
    ]


def posts(source: Path) -> list[Post]:
    """Every post under `source`, by host and file name."""
    return [_read(blog, path) for blog in blogs(source) for path in sorted((source / blog.host).glob("*.md"))]


def _read(blog: Blog, path: Path) -> Post:
    document = frontmatter.loads(path.read_text(encoding="utf-8"))
    front: dict[str, Any] = document.metadata
    return Post(blog, front.get("permalink", path.stem).rstrip("/"), front, document.content)


def _shown(text: str) -> str:
    """Without the quotes that some sources have round a text, and runs of spaces as one."""
    return " ".join(text.strip('"').split())
