"""A command that dies by `kill -9` when its first file is in its place and no row is committed."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.archive.tree import Tree
from tests.conftest import ARTICLE
from tests.support.commands import here
from tests.support.imports import archive
from tests.support.storage import THREE

_move = Tree.move


def _move_and_die(*names: Any) -> None:
    _move(*names)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    command, data, other = sys.argv[1], *map(Path, sys.argv[2:])
    Tree.move = _move_and_die  # type: ignore[method-assign, assignment]
    if command == "merge":
        here("merge", other / "archive.db", "--data", data)
    else:
        archive(data, replace(ARTICLE, url=THREE))
