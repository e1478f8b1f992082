"""Commands on a terminal of their own, and the screen that a person sees there."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence

_CONTROL = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|[\r\n]")


def shown_by(*arguments: str, columns: int = 200) -> str:
    """Run a command on a terminal, and return all that it showed there."""
    return "".join(chunks_of(arguments, [columns]))


def chunks_of(arguments: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Run a command on a terminal, and yield what it shows there; after each chunk it has the next width."""
    ours, theirs = os.openpty()
    sizes = iter(widths)
    _resize(ours, next(sizes))
    command = [sys.executable, "-m", "crawler", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        try:
            while chunk := os.read(ours, 65536):
                if columns := next(sizes, None):
                    _resize(ours, columns)
                yield chunk.decode(errors="replace")
        except OSError:  # the other end was closed: Linux says EIO
            pass
    os.close(ours)


def _resize(terminal: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))


class Screen:
    """The lines of a terminal that is high enough, which wraps what is too long."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines = [""]
        self._row = self._column = 0

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)

    def feed(self, shown: str) -> None:
        """Show what a program wrote: text, line ends, and the control sequences that rich writes."""
        start = 0
        for control in _CONTROL.finditer(shown):
            self._write(shown[start : control.start()])
            self._control(control)
            start = control.end()
        self._write(shown[start:])

    def _write(self, text: str) -> None:
        for character in text:
            if self._column == self.columns:
                self._control_line("\n")
                self._column = 0
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def _control(self, control: re.Match[str]) -> None:
        if control[0] in "\r\n":
            self._control_line(control[0])
        elif control[2] == "A":
            self._row = max(0, self._row - int(control[1] or 1))
        elif control[2] == "K":
            self.lines[self._row] = "" if control[1] == "2" else self.lines[self._row][: self._column]
        else:
            assert control[2] in "mhl", f"{control[0]!r} is not known"

    def _control_line(self, character: str) -> None:
        if character == "\r":
            self._column = 0
            return
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append("")
