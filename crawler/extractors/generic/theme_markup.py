"""Respell the markup of other templates as the theme has it: languages of code, lazy pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from crawler.extractors.markdown.code import LANGUAGE
from crawler.extractors.tree import Element

# <div class="language-python highlighter-rouge">, <div class="highlight-toml">, <pre class="brush: js">
OUTER_LANGUAGE = re.compile(
    r"(?:\A|\s)(?:(?:language|lang|highlight-source|highlight)-|brush:\s*)([\w+#.-]+)"
)
# <code data-lang="go">, <code lang="go">
LANGUAGE_ATTRIBUTES = ("data-lang", "data-language", "lang")
# <pre class="highlight python">, <code class="hljs python">
HIGHLIGHTERS = frozenset(
    ("highlight", "hljs", "chroma", "prettyprint", "prettyprinted", "syntaxhighlighter", "linenums")
)
NO_LANGUAGE = frozenset(("plaintext", "text", "none", "default", "plain"))
# <img srcset="small.jpg 640w, large.jpg 1400w">
WIDTH = re.compile(r"\s+[\d.]+[wx]\s*(?:,\s*|\Z)")

_BARE_LANGUAGE = re.compile(r"[a-z][a-z0-9+#]{0,11}")
_MAX_LEVELS = 3  # from a block of code up to the box that names its language


def set_code_languages(content: Element) -> None:
    """Make the language of each block of code the only class of its `pre`."""
    for pre in content.iter("pre"):
        language = next(filter(None, _languages(pre)), "")
        for node in (pre, *pre.iter("code")):
            node.attrib.pop("class", "")
        if language and language not in NO_LANGUAGE:
            pre.set("class", f"language-{language}")


def set_lazy_addresses(body: Element) -> None:
    """Give pictures without an address of their own the largest that they, or the `<picture>` around them, offer."""
    for img in body.iter("img"):
        addresses = [address for part in WIDTH.split(_srcset(img)) if (address := part.strip())]
        if addresses:
            img.set("src", addresses[-1])


def _languages(pre: Element) -> Iterator[str]:
    """Yield what may name the language of a block of code, the surest first."""
    nodes = (next(pre.iter("code"), pre), pre)
    yield from (node.get(attribute, "") for node in nodes for attribute in LANGUAGE_ATTRIBUTES)
    for node in nodes:
        if match := LANGUAGE.search(node.get("class", "")):
            yield match[1]
    for node in (*nodes, *islice(pre.iterancestors(), _MAX_LEVELS)):
        if match := OUTER_LANGUAGE.search(node.get("class", "")):
            yield match[1]
    for node in nodes:
        names = node.get("class", "").split()
        if not HIGHLIGHTERS.isdisjoint(names):
            yield from (name for name in names if name not in HIGHLIGHTERS and _BARE_LANGUAGE.fullmatch(name))


def _srcset(img: Element) -> str:
    """Return the addresses and widths that a picture without an address of its own offers; else nothing."""
    source, picture = img.get("src", "").strip(), next(img.iterancestors("picture"), None)
    if lazy := img.get("data-srcset"):
        return lazy
    if source and not source.startswith("data:"):
        return ""
    if (own := img.get("srcset")) or picture is None:
        return own or ""
    return next(filter(None, (node.get("srcset", "") for node in picture.iter("source"))), "")
