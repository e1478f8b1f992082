"""The generators that exports are made for."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

HEXO = Path(os.environ.get("HEXO", "no such folder"), "node_modules")
"""Where Hexo is installed: it has no place of its own."""


def build(site: Path, *command: str | Path) -> None:
    """Runs a generator, which must have nothing to complain of."""
    environment = {**os.environ, "TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode, re.findall(r"(?im)^.*\b(?:warn|error|deprecated).*$", said)) == (0, []), said
