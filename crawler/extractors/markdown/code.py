"""Read the text and the language of blocks of code, without line numbers and colours."""

from __future__ import annotations

import re

from crawler.extractors.tree import Element, attribute, has_class, raw_text, xpath

# <figure class="highlight python"><table><tr><td class="gutter">…<td class="code"><pre>…
HIGHLIGHTED = "highlight"
CODE_CELL = xpath(".//td[@class = 'code']//pre")
# <figure class="iseeu highlight python">, <pre class="line-numbers language-python">, <code class="hljs python">
LANGUAGE = re.compile(r"\b(?:language|lang)-([^\s`]+)")
NO_LANGUAGE = frozenset(("highlight", "iseeu", "hljs", "line-numbers", "wrap", "plain", "plaintext"))


def drop_line_numbers(figure: Element) -> None:
    """Replace a highlighted figure's table of line numbers and code by the code, with the figure's language."""
    if not has_class(figure, HIGHLIGHTED):
        return
    languages = _languages(figure)
    for pre in CODE_CELL(figure) or figure.findall(".//pre"):
        pre.set("class", f"language-{languages[0]}" if languages else "")
        table = figure.find("table")
        if table is not None:
            figure.replace(table, pre)


def read_code(pre: Element) -> tuple[str, str]:
    """Return the code of a `pre` and its language, which is empty where none is named."""
    for line_break in pre.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    code = raw_text(pre).strip("\n")
    for node in pre.iter("pre", "code"):
        if match := LANGUAGE.search(attribute(node, "class")):
            return code, match[1]
    return code, next((name for node in pre.iter("pre", "code") for name in _languages(node)), "")


def _languages(node: Element) -> list[str]:
    return [name for name in attribute(node, "class").split() if name not in NO_LANGUAGE and "`" not in name]
