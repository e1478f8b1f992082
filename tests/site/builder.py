"""The network's pages as files: `HOST/SLUG/index.html` and all that a static host has beside them."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markdown_it import MarkdownIt

from crawler.items import iso
from tests.site import hexo
from tests.site.pictures import png
from tests.site.posts import LICENSE, ZONE, Blog, Post, blogs, posts

PICTURES = "pictures.techidaily.com"
"""The host of the network's own pictures: it has every one that the posts name there."""

_PICTURE = re.compile(rf'https://{re.escape(PICTURES)}/([^\s")]+)')


def build(source: Path, target: Path) -> None:
    """Render the network under `source` into `target`; the same sources give the same bytes."""
    written = posts(source)
    for blog in blogs(source):
        newest_first = sorted((p for p in written if p.blog == blog), key=lambda p: p.date, reverse=True)
        _Builder(source, target / blog.host, blog, newest_first).build()
    for post in written:
        for name in _PICTURE.findall(f"{post.front['thumbnail']} {post.source}"):
            _write(target / PICTURES / name, png(name))


class _Compiled(BytecodeCache):
    """Templates by their source: those that blogs share, and that are built again, are compiled once."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(bucket.checksum):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.checksum] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


class _Builder:
    """The files of one host: the theme's templates, filled in."""

    def __init__(self, source: Path, target: Path, blog: Blog, newest_first: list[Post]) -> None:
        self.source = source / blog.host
        self.templates = source / "templates"
        self.theme = self.templates / blog.theme
        self.target = target
        self.blog = blog
        self.posts = newest_first
        self.listings = _listings(newest_first)
        self.jinja = Environment(
            loader=FileSystemLoader([self.theme, self.templates]),
            autoescape=True,
            bytecode_cache=_COMPILED,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.jinja.filters |= {"iso": iso, "local": _local, "slug": hexo.slug}
        self.jinja.filters |= {"hexo": hexo.render, "markdown": MarkdownIt("commonmark").render}
        self.jinja.globals |= {
            "blog": blog,
            "posts": newest_first,
            "counts": {
                "Tags": sum(folder.startswith("tags/") for folder in self.listings),
                "Categories": sum(folder.startswith("categories/") for folder in self.listings),
                "Posts": len(newest_first),
            },
            "license": LICENSE,
            "updated": max(post.updated for post in newest_first),
        }

    def build(self) -> None:
        for i, post in enumerate(self.posts):
            newer = self.posts[i - 1] if i else None
            older = self.posts[i + 1] if i + 1 < len(self.posts) else None
            self._page(f"{post.slug}/index.html", "post.html", post=post, newer=newer, older=older)
        self._page("index.html", "home.html")
        for folder, listed in self.listings.items():
            self._page(f"{folder}/index.html", "listing.html", heading=folder, listed=listed)
        for file in sorted((self.theme / "pages").iterdir()):
            self._page(file.name, f"pages/{file.name}")
        for name in ("robots.txt", "sitemap_index.xml", "sitemap.xml"):
            self._page(name, name)
        _write(self.target / "images" / "loading.svg", (self.templates / "loading.svg").read_bytes())
        redirects = self.source / "_redirects"
        if redirects.exists():
            shutil.copyfile(redirects, self.target / "_redirects")

    def _page(self, path: str, template: str, **values: object) -> None:
        text = self.jinja.get_template(template).render(path=path, **values)
        _write(self.target / path, text.encode())


def _listings(listed: list[Post]) -> dict[str, list[Post]]:
    """The posts of each listing page by its folder; a category's folder is in that of the one before it."""
    folders = defaultdict(list, {"archives": listed})
    for post in listed:
        for tag in post.article.tags:
            folders[f"tags/{hexo.slug(tag)}"].append(post)
        names = map(hexo.slug, post.article.categories)
        for folder in accumulate(names, "{}/{}".format, initial="categories"):
            folders[folder].append(post)
    return dict(folders)


def _local(time: datetime) -> str:
    """A time as readers see it: on the blog's own clock."""
    return f"{time + ZONE:%Y-%m-%d %H:%M:%S}"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
