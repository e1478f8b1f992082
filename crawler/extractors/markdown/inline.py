"""Write what stands in a block of text: text, emphasis, links, code and pictures."""

from __future__ import annotations

import re

from crawler.extractors.markdown.emphasis import (
    BREAK,
    CLOSE,
    CODE,
    END,
    MARKERS,
    OPEN,
    PICTURE,
    Mark,
    drop_emphasis,
    needs_parser_check,
    renders_as,
    repair_flanking,
)
from crawler.extractors.markdown.escaping import code_span, escape_text, join_pieces

LINK = "["

_STARS = frozenset(("*", "**"))
_STRUCK = "~~"
_OPEN_TILDE = re.compile(r"(?<!\\)(?:\\\\)*~\Z")  # at the end, and not escaped
_END = (END, "")


class InlineWriter:
    """Collect text and marks in page order, and write them as one piece of Markdown."""

    def __init__(self, opened: list[tuple[str, str]], line_break: str) -> None:
        """`opened` is what is open already, as pairs of opening and closing Markdown."""
        self.opened = opened
        self._line_break = line_break
        self._start()

    def _start(self) -> None:
        self._texts, self._marks = [""], list[Mark]()  # texts[n] stands before marks[n]
        self._starts: list[int] = []  # where among the marks each one opened that is open
        self._emphasis: list[tuple[int, int]] = []  # where emphasis opened and closed
        for opening, _ in self.opened:
            self._starts.append(len(self._marks))
            self._mark(OPEN, opening)

    def _mark(self, role: str, markdown: str) -> None:
        self._marks.append((role, markdown))
        self._texts.append("")

    def text(self, text: str) -> None:
        """Add text as the page has it."""
        self._texts[-1] += text

    def code(self, text: str) -> None:
        """Add code."""
        if text:
            self._mark(CODE, text)

    def picture(self, alt: str, target: str) -> None:
        """Add a picture with its alternative text, and its address and title as Markdown."""
        self._mark(PICTURE, f"![{escape_text(alt, in_brackets=True)}]{target}")

    def line_break(self) -> None:
        """End a line."""
        self._mark(BREAK, "\n")

    def is_open(self, opening: str) -> bool:
        """Tell whether such a mark is open."""
        return bool(self.opened) and any(opening == other for other, _ in self.opened)

    def open(self, opening: str, closing: str) -> None:
        """Open a mark, given as its opening and closing Markdown."""
        self.opened.append((opening, closing))
        self._starts.append(len(self._marks))
        self._mark(OPEN, opening)

    def close(self) -> None:
        """Close the mark that was opened last, or forget it where nothing is in it."""
        _, closing = self.opened.pop()
        start = self._starts.pop()
        if start == len(self._marks) - 1 and not self._texts[-1]:
            del self._marks[-1], self._texts[-1]
            return
        if closing in MARKERS:
            self._emphasis.append((start, len(self._marks)))
        self._mark(CLOSE, closing)

    def close_through(self, opening: str) -> list[tuple[str, str]]:
        """Close a mark, if it is open, with all that is open in it; return them all, to be opened again."""
        closed: list[tuple[str, str]] = []
        while self.is_open(opening):
            closed.insert(0, self.opened[-1])
            self.close()
        return closed

    def take(self, *, starts_line: bool) -> str:
        """Return the Markdown of all so far, and start anew; open marks are opened again.

        White space at the ends of emphasis and links moves out of them, empty marks are dropped, and so are line
        breaks without something before and after them. `starts_line` says whether Markdown could read syntax where
        this starts.
        """
        texts, marks = self._texts, self._marks
        if not marks:
            text = texts[0].strip()
            texts[0] = ""
            return join_pieces([escape_text(text, starts_line=starts_line)]) if text else ""
        for _, closing in reversed(self.opened):
            self._mark(CLOSE, closing)
        is_ambiguous = bool(self._emphasis) and needs_parser_check(texts, marks)
        if self._emphasis:
            repair_flanking(texts, marks, sorted(self._emphasis))
        self._start()
        written = _written(texts, marks, starts_line, self._line_break)
        if is_ambiguous and not renders_as(written, texts, marks):
            drop_emphasis(texts, marks)
            return _written(texts, marks, starts_line, self._line_break)
        return written


def _written(texts: list[str], marks: list[Mark], starts_line: bool, line_break: str) -> str:
    """Write an opening mark only when something follows it, and white space only when something follows that."""
    out: list[str] = []
    gap = code = ""
    moved = False  # the gap has come out of a mark: before a line break, only such a space stays
    in_link = False
    waiting: list[str] = []
    written: list[int] = []  # for each open mark, 0 where it was not written, else the stars in its row
    for text, (role, markdown) in zip(texts, [*marks, _END], strict=True):
        if text:
            at_start = starts_line and not waiting and (not out or "\n" in gap)
            escaped = escape_text(text, starts_line=at_start, in_brackets=in_link)
            bare = escaped.strip()
            gap = gap or escaped[: len(escaped) - len(escaped.lstrip())]
            if bare:
                if gap or waiting:
                    _open_marks(out, gap, waiting, written, bare)
                out.append(f"\\{bare}" if bare[0] == "~" and out and out[-1] == _STRUCK else bare)
                gap, moved = escaped[len(escaped.rstrip()) :], False
        if role == OPEN:
            waiting.append(markdown)
            in_link = in_link or markdown == LINK
        elif role == CLOSE:
            in_link = in_link and not markdown.startswith("]")
            if waiting:  # nothing is in it
                waiting.pop()
                continue
            moved = gap != ""
            if written.pop():
                _put_mark(out, markdown)
        elif role == BREAK:
            gap = (gap.rstrip("\n") if moved else "") + "\n" * (gap.count("\n") + 1)
        elif role != END:
            if gap or waiting:
                _open_marks(out, gap, waiting, written, markdown)
            code = _put(out, role, markdown, code)
            gap, moved = "", False
    return join_pieces(out).replace("\n", line_break)


def _put(out: list[str], role: str, markdown: str, before: str) -> str:
    """Write a picture or code; return the code that is `before` at the next call.

    Two codes in a row are one, as their backticks would be: no text starts with one that is not escaped.
    """
    if role != CODE:
        out.append(markdown)
        return ""
    code = before + markdown if out and out[-1].startswith("`") else markdown
    if code != markdown:
        out.pop()
    out.append(code_span(code))
    return code


def _put_mark(out: list[str], mark: str) -> None:
    """Write a mark, and escape a tilde of the text right before one of tildes."""
    if mark == _STRUCK and out and out[-1] != _STRUCK and _OPEN_TILDE.search(out[-1]):
        out[-1] = f"{out[-1][:-1]}\\~"
    out.append(mark)


def _open_marks(out: list[str], gap: str, waiting: list[str], written: list[int], following: str) -> None:
    """Write the white space and the opening marks before what follows."""
    if gap and out:
        out.append(gap)
    elif out and waiting[0] == LINK and out[-1].endswith("!"):
        out[-1] = f"{out[-1][:-1]}\\!"  # else the link becomes a picture
    for opening in waiting:
        stars = _stars_in_row(out, opening)
        could_close = (
            stars < 3 and 3 in written and out and not (out[-1][-1].isspace() or following[0].isalnum())
        )
        if stars > 3 or (could_close and opening in _STARS):
            written.append(0)  # Markdown would take it for another beside what stands before it
        elif opening in MARKERS and out and out[-1] == opening:
            out.pop()  # what closed and opens again goes on
            written.append(3)
        else:
            if stars == 3 and written and written[-1]:
                written[-1] = 3
            _put_mark(out, opening)
            written.append(stars)
    waiting.clear()


def _stars_in_row(out: list[str], opening: str) -> int:
    """Count the stars in the row in which emphasis opens; 1 for any other mark."""
    if opening not in _STARS or (out and out[-1] == opening):
        return 1
    stars = len(opening)
    for before in reversed(out):
        if before not in _STARS:
            break
        stars += len(before)
    return stars
