"""What stands in a line, from one block's start to the next: text, emphasis, links, code and pictures."""

from __future__ import annotations

from crawler.extractors.emphasis import BREAK, CLOSE, CODE, DROPPED, MARKERS, OPEN, PICTURE, Mark, loosen
from crawler.extractors.literal import code_span, literal

LINK = "["


class Phrase:
    """Collects text and marks in page order and gives them as one piece of Markdown."""

    def __init__(self, opened: list[tuple[str, str]]) -> None:
        """`opened` is what is open already, as pairs of opening and closing Markdown."""
        self.opened = opened
        self._start()

    def _start(self) -> None:
        self._texts, self._marks = [""], list[Mark]()  # texts[n] stands before marks[n]
        for opening, _ in self.opened:
            self._mark(OPEN, opening)

    def _mark(self, role: str, markdown: str) -> None:
        self._marks.append((role, markdown))
        self._texts.append("")

    def text(self, text: str) -> None:
        """Add text as the page has it."""
        self._texts[-1] += text

    def code(self, text: str) -> None:
        """Add code; two in a row are one, as their backticks would run together."""
        if self._marks and self._marks[-1][0] == CODE and not self._texts[-1]:
            self._marks[-1] = (CODE, self._marks[-1][1] + text)
        elif text:
            self._mark(CODE, text)

    def picture(self, alt: str, target: str) -> None:
        """Add a picture, by what is said of it and where it is."""
        self._mark(PICTURE, f"![{literal(alt)}]{target}")

    def line_break(self) -> None:
        """End a line."""
        self._mark(BREAK, "\n")

    def is_open(self, opening: str) -> bool:
        """Whether what comes next stands in such a mark."""
        return any(opening == other for other, _ in self.opened)

    def open(self, opening: str, closing: str) -> None:
        """Open a mark that `close` closes."""
        self.opened.append((opening, closing))
        self._mark(OPEN, opening)

    def close(self) -> None:
        """Close what was opened last."""
        self._mark(CLOSE, self.opened.pop()[1])

    def take(self, *, starts_line: bool) -> str:
        """The Markdown of all so far; what is open stays open for what comes next.

        White space at the ends of emphasis and links moves out of them, what is empty goes, and a line break that
        has something before and after it is a "\\n", which the caller is to spell. `starts_line` says whether the
        start of a line means anything where this stands.
        """
        texts, marks = self._texts, self._marks
        if not marks:
            self._texts = [""]
            return literal(texts[0], starts_line=starts_line).strip()
        for _, closing in reversed(self.opened):
            self._mark(CLOSE, closing)
        self._start()
        loosen(texts, marks)
        writer = _Writer(starts_line)
        run = texts[0]
        for (role, markdown), text in zip(marks, texts[1:], strict=True):
            if role != DROPPED:
                writer.text(run)
                writer.mark(role, markdown)
                run = ""
            run += text
        writer.text(run)
        return "".join(writer.out)


class _Writer:
    """Writes an opening mark when something follows it, and white space when something follows that."""

    def __init__(self, starts_line: bool) -> None:
        self.out: list[str] = []
        self._starts_line = starts_line
        self._gap = ""
        self._moved = (
            False  # whether the gap has come out of a mark; before a line break only such a space stays
        )
        self._waiting: list[str] = []
        self._written: list[bool] = []  # whether what is open was written

    def text(self, run: str) -> None:
        if not run:
            return
        at_start = self._starts_line and not self._waiting and (not self.out or "\n" in self._gap)
        kept = literal(run, starts_line=at_start)
        start = kept.lstrip()
        self._gap = self._gap or kept[: len(kept) - len(start)]
        if start:
            text = start.rstrip()
            self._write(text)
            self._gap = start[len(text) :]

    def mark(self, role: str, markdown: str) -> None:
        if role == OPEN:
            self._waiting.append(markdown)
        elif role == BREAK:
            space = self._gap.rstrip("\n") if self._moved else ""
            self._gap = space + "\n" * (self._gap.count("\n") + 1)
        elif role != CLOSE:
            self._write(code_span(markdown) if role == CODE else markdown)
        elif self._waiting:  # nothing is in it
            self._waiting.pop()
        else:
            self._moved = self._gap != ""
            if self._written.pop():
                self.out.append(markdown)

    def _write(self, markdown: str) -> None:
        out = self.out
        if out and self._gap:
            out.append(self._gap)
        elif out and self._waiting[:1] == [LINK] and out[-1].endswith("!"):
            out[-1] = f"{out[-1][:-1]}\\!"  # else the link becomes a picture
        self._written += map(self._opens, self._waiting)
        self._waiting.clear()
        self._gap, self._moved = "", False
        out.append(markdown)

    def _opens(self, opening: str) -> bool:
        """Write an opening mark, unless Markdown would take it for another beside the marks before it."""
        if opening in MARKERS and self.out and self.out[-1] == opening:
            self.out.pop()  # what closed and opens again goes on
            return True
        if opening in ("*", "**"):
            stars = len(opening)
            for before in reversed(self.out):
                if before not in ("*", "**"):
                    break
                stars += len(before)
            if stars > 3:
                return False
        self.out.append(opening)
        return True
