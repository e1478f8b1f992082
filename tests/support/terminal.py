"""Commands on a terminal of their own."""

from __future__ import annotations

import os
import subprocess
import sys


def shown_by(*arguments: str, columns: int = 200) -> str:
    """Run a command on a terminal, and return all that it showed there."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "crawler", *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns)}
    shown = b""
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # the other end was closed: Linux says EIO
            pass
    os.close(ours)
    return shown.decode()
