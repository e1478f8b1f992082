"""The questions of docs/catalog.md: each command, run on the demo's archive, prints what stands below it.

`ALSOREAD_GOLDEN=write pytest tests/site/test_questions.py` writes the outputs again: read the diff.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import crawl

CATALOG = Path(__file__).parents[2] / "docs" / "catalog.md"
_QUESTION = re.compile(
    r"^### .+\?\n\n```console\n\$ (?P<command>.+)\n(?P<output>(?:.*\n)*?)```$", re.MULTILINE
)


@pytest.fixture(scope="module")
def archive(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that `make demo` makes."""
    return crawl(network, tmp_path_factory.mktemp("demo"), "kitchen-notes.techidaily.com").data


def printed(command: str, archive: Path) -> str:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": programs, "db": str(archive / "archive.db")}
    done = subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def test_each_question_has_the_answer_that_is_printed(archive: Path) -> None:
    before = CATALOG.read_text(encoding="utf-8")
    assert len(_QUESTION.findall(before)) == 25 == before.count("\n```console\n")

    def answered(match: re.Match[str]) -> str:
        start, end = (place - match.start() for place in match.span("output"))
        return match[0][:start] + printed(match["command"], archive) + match[0][end:]

    after = _QUESTION.sub(answered, before)
    if os.environ.get("ALSOREAD_GOLDEN") == "write":
        CATALOG.write_text(after, encoding="utf-8")
    assert after == before
