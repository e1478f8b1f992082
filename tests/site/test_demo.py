"""`make demo`: each command that it shows can be pasted in the project's folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def shell(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.long
def test_each_command_works_when_it_is_pasted() -> None:
    shown = shell("sh tests/site/demo.sh")
    assert (shown.returncode, shown.stderr) == (0, "")
    activate, *commands = re.findall(r"^\$ (.+)$", shown.stdout, re.MULTILINE)
    commands += re.findall(r"^(?:Next:|     ) ((?:alsoread|sqlite-utils) .+)$", shown.stdout, re.MULTILINE)
    assert len(commands) == 8
    for command in commands:
        pasted = shell(f"{activate}\n{command}")
        assert (pasted.returncode <= 1, pasted.stderr) == (True, ""), command
        assert pasted.stdout
