"""Read the also-read links of a Markdown post, which become seeds."""

from __future__ import annotations

from urllib.parse import urljoin

import frontmatter
import lxml.html

from pipelines.importing.front_matter import FrontMatterHandler

_ALSO_READ = "atpl-alsoreadstyle"
"""The class of the heading before the also-read list, in a post's source as on its page."""


def also_read_links(text: str) -> list[str]:
    """Return the addresses from a post's front matter, or of the list at its end. Raises InvalidFile."""
    post = frontmatter.loads(text, handler=FrontMatterHandler())
    links = _links_of_front_matter(post.get("also_read"))
    if links or _ALSO_READ not in post.content:
        return links
    tail = lxml.html.fragment_fromstring(post.content.rpartition(_ALSO_READ)[2], create_parent="div")
    return [urljoin("https://", href) for href in tail.xpath(".//a/@href")]


def _links_of_front_matter(also_read: object) -> list[str]:
    entries = also_read if isinstance(also_read, list) else []
    return [str(entry["url"]) for entry in entries if isinstance(entry, dict) and "url" in entry]
