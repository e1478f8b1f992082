"""Let signals end a command: at once, or step by step where work is under way.

An archive is whole at every moment, as it has to be when a process is killed. So a command may end wherever it is,
unless it says otherwise.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import NoReturn

from crawler.exit_codes import FORCED, INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""They all mean the same: the terminal is gone, or somebody asks the command to stop."""

Step = Callable[[], object]
"""What a signal does. It runs between two instructions of the main thread, so it only notes or schedules."""

_SHOW_CURSOR = "\x1b[?25h"


def install() -> None:
    """Handle the signals from here on. One that is ignored stays so, as `nohup` wants it."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)


def ignore() -> None:
    """Ignore the signals from here on: a command that is done ends by itself.

    Python gives a handler up before it has ended, and a signal would kill it then, but it leaves what is ignored so.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def is_asked() -> bool:
    """Return whether a signal asked this process to stop."""
    return _received > 0


@contextmanager
def steps(*each: Step, then: Step | None = None) -> Iterator[None]:
    """In this block the first signal does the first step, the next one the next, and those after them do `then`.

    Without it they end the process.
    """
    global _steps, _then
    outer = _steps, _then
    _steps, _then = iter(each), then or _end
    try:
        yield
    finally:
        _steps, _then = outer


def noted() -> AbstractContextManager[None]:
    """In this block the first signal is only noted, for `is_asked`; the next one ends the process."""
    return steps(_note)


def leave(code: int) -> NoReturn:
    """End the process with this exit code.

    After an interruption that leaves out Python's own way to end: it waits for the threads of a loop that was left,
    and crashes over its coroutines.
    """
    if not is_asked():
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _note() -> None:
    """Nothing: `is_asked` knows."""


def _handle(*_: object) -> None:
    global _received  # noqa: PLW0603
    _received += 1
    next(_steps, _then)()


def _end() -> NoReturn:
    if _received > 1:
        code, how = FORCED, "Stopped at once"
    else:
        code, how = INTERRUPTED, "Interrupted"
    text = f"alsoread: {how}; the archive is in order. Run the same command again.\n"
    with suppress(OSError):
        cursor = _SHOW_CURSOR if os.isatty(2) else ""  # a live display hides it
        os.write(2, (cursor + text).encode())  # not by a stream: it may be in the middle of writing
    os._exit(code)


_received = 0
_steps: Iterator[Step] = iter(())
_then: Step = _end
