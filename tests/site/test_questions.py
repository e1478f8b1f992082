"""The questions of docs/catalog.md: each command, run on the demo's archive, prints what stands below it.

`ALSOREAD_GOLDEN=write pytest tests/site/test_questions.py` writes the outputs again: read the diff.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlite_utils.cli import cli as sqlite_utils

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
    program, *args = shlex.split(command.replace("$db", str(archive / "archive.db")))
    assert program == "sqlite-utils"
    done = CliRunner().invoke(sqlite_utils, args, catch_exceptions=False)
    assert done.exit_code == 0, done.output
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
