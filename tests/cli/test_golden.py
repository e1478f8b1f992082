"""What each command prints, word for word: golden/COMMAND.txt has a shell session on the demo network's archive.

A line that starts with `$ ` is run by a shell, in a folder with an archive in `data/` and the network's files in
`site/`, which is served at `$SITE`. Below it stands what it prints, with `! ` before lines of standard error, and
its exit code if that is not 0. Times, sizes and paths are replaced by placeholders, JSON by its keys and types.

After a change of words, `ALSOREAD_GOLDEN=write pytest tests/cli/test_golden.py` writes the files again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import pytest

from crawler.cli import main
from tests.site import SEED, Site
from tests.support.commands import Run, alsoread, here

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
SESSIONS = sorted(GOLDEN.glob("*.txt"))
TIMEOUT_SECONDS = 120
_OF_ITS_OWN = ("crawl", "images", "schedule")
"""Commands whose loop, if they get so far, runs once in a process."""
_BEFORE_ITS_LOOP = re.compile(r"^\(exit code 2\)$|^Dry run: ", re.MULTILINE)
"""What stands below one of these that ends before."""
_QUOTED = re.compile(r"""'[^']*'|"[^"$]*\"""")
_SHELL_SYNTAX = re.compile(r"[|&;<>$*(){}]|-h")
"""What only a shell reads; help is as wide as the terminal, which click's runner has one of its own for."""
_TIME = re.compile(
    r"(?:\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(\d{4}-\d\d-\d\d)([T ]\d\d[:.]?\d\d([:.]?\d\d)?(\.\d+)?Z?)?"
)
_PLACEHOLDERS = (
    (re.compile(r"\bafter [\d.]+ (s|min|h)( \d+ (s|min))?"), "after DURATION"),
    (re.compile(r"[\d.,]+ ([KMG]i?B|bytes)\b"), r"N \1"),
    (re.compile(r"\bprocess \d+"), "process PID"),
    (re.compile(r"\b\d{8}T\d{6}Z"), "STAMP"),
    (re.compile(r"\b\d+ parts merged"), "N parts merged"),
)


def test_every_command_has_a_session() -> None:
    names = {path.stem for path in SESSIONS}
    commands = main.list_commands(click.Context(main))
    assert set(commands) <= names


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(
    run: Run, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    expected = path.read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", expected, re.MULTILINE)
    assert commands
    shutil.copytree(run.data, tmp_path / "data")
    shutil.copytree(network, tmp_path / "site")
    with Site(tmp_path / "site") as site:
        lines = (line for command, below in commands for line in _run(command, below, tmp_path, site))
        session = "\n".join(lines) + "\n"
    if os.environ.get("ALSOREAD_GOLDEN") == "write":
        path.write_text(session, encoding="utf-8")
        pytest.fail(f"{path.name} was written: read what changed, and run the test again")
    assert session == expected


def _run(command: str, below: str, folder: Path, site: Site) -> Iterator[str]:
    """Run a command of a session, below which this stands, and yield what should."""
    before, last = _last_of(command.replace("$SEED", SEED).replace("$SITE", site.url))
    if last.startswith("alsoread ") and not _SHELL_SYNTAX.search(_without_quotes(last)):
        if before:
            assert _run_in_shell(before, folder, site) == ("", "", 0)
        out, err, code = _run_without_shell(shlex.split(last)[1:], folder, loops=_loops(last, below))
    else:
        out, err, code = _run_in_shell(command, folder, site)
    yield f"$ {command}"
    for prefix, output in (("", out), ("! ", err)):
        text = output.replace(str(folder), "DIR").replace(site.url, "http://SITE")
        for line in _with_sorted_addresses(text.splitlines()):
            yield from (f"{prefix}{part}".rstrip() for part in _normalize(line).splitlines() or [""])
    if code:
        yield f"(exit code {code})"
    yield ""


def _last_of(line: str) -> tuple[str, str]:
    """Split the last command of a line from those before it, which print nothing."""
    start = _without_quotes(line).rfind("; ") + 1
    return line[: max(start - 1, 0)], line[start:].strip()


def _without_quotes(line: str) -> str:
    return _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), line)


def _loops(command: str, below: str) -> bool:
    return command.split()[1] in _OF_ITS_OWN and not _BEFORE_ITS_LOOP.search(below)


def _run_without_shell(args: Sequence[str], folder: Path, *, loops: bool) -> tuple[str, str, int]:
    """Run a command in this process, or in one of its own if its loop runs."""
    with chdir(folder):
        if loops:
            ended = alsoread(*args, patience=TIMEOUT_SECONDS)
            return ended.stdout, ended.stderr, ended.returncode
        done = here(*args)
    return done.stdout, done.stderr, done.exit_code


def _run_in_shell(command: str, folder: Path, site: Site) -> tuple[str, str, int]:
    alsoread = f'alsoread() {{ "{sys.executable}" -W error -m crawler "$@"; }}'
    done = subprocess.run(
        ["sh", "-c", f"{alsoread}\n{command}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "SITE": site.url, "SEED": SEED},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return done.stdout, done.stderr, done.returncode


def _with_sorted_addresses(lines: Sequence[str]) -> Iterator[str]:
    """Sort the addresses below a line, whose order is that of the answers."""
    for is_address, group in groupby(lines, lambda line: line.startswith("  https://")):
        block = list(group)
        yield from sorted(block) if is_address else block


def _normalize(line: str) -> str:
    if line.startswith("{"):
        return json.dumps(_skeleton(json.loads(line)), indent=2)
    for pattern, placeholder in _PLACEHOLDERS:
        line = pattern.sub(placeholder, line)
    return _TIME.sub(_without_recent_time, line)


def _skeleton(value: Any) -> Any:
    """Replace the values of JSON by their types; of a list only the first is kept."""
    if isinstance(value, dict):
        return {key: _skeleton(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_skeleton(item) for item in value[:1]]
    return type(value).__name__


def _without_recent_time(match: re.Match[str]) -> str:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    return match[0] if match[1] < yesterday else "TIME"
