"""The SQL functions that alsoread adds to sqlite-utils, by its own command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("sqlite-utils")


CALLS: dict[str, str | None] = {
    "host('https://howto.techidaily.com/sharpen-a-knife/')": "howto.techidaily.com",
    "host('no address')": None,
    "host('http://[broken/')": None,
    "host(NULL)": None,
    "host(7)": None,
    "plain_text('## A *good* [knife](https://a.example/)')": "A good knife",
    "plain_text(NULL)": None,
    "plain_text(7)": None,
}


def test_functions() -> None:
    query = "SELECT " + ", ".join(f'{call} AS "{call}"' for call in CALLS)
    done = subprocess.run([PROGRAM, "memory", query], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [CALLS]


def test_the_plugin_loads_nothing_before_a_function_is_called() -> None:
    program = """
import sys
import sqlite_utils
before = set(sys.modules)
import pipelines.archive.sqlite_plugin
print(sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['pipelines', 'pipelines.archive', 'pipelines.archive.sqlite_plugin']\n"
