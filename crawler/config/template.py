"""Make a settings file to start from: every option, commented out, with what it means and what is valid."""

from __future__ import annotations

import json
from itertools import groupby

from crawler.config.options import OPTIONS, Option

_HEADER = """\
# Settings of this archive. Remove the # before an option to set it: its value here is the default, or an example.
# Every command reads this file, and its own options go over it.
"""


def settings_template() -> str:
    """Return the text of a settings file that sets nothing."""
    tables = groupby(OPTIONS.values(), lambda option: option.key.rpartition(".")[0])
    return _HEADER + "".join(_section(table, list(options)) for table, options in tables)


def _section(table: str, options: list[Option]) -> str:
    heading = f"\n[{table}]\n" if table else "\n"
    return heading + "".join(map(_entry, options))


def _entry(option: Option) -> str:
    name = option.key.rpartition(".")[2]
    value = option.default if option.default not in (None, []) else option.example
    return f"# {option.help} Valid: {option.valid}.\n#{name} = {json.dumps(value)}\n"
