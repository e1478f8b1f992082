"""Write the man pages of all commands, from their help, into a folder: `make man`."""

from __future__ import annotations

import sys
from importlib.metadata import version
from inspect import cleandoc
from pathlib import Path

from click_man.core import write_man_pages

from crawler.cli import main as alsoread

_MAX_SUMMARY_CHARACTERS = 120


def main(folder: Path) -> None:
    """Write a page for `alsoread` and one for each of its commands."""
    folder.mkdir(parents=True, exist_ok=True)
    for command in (alsoread, *alsoread.commands.values()):
        # click-man would cut it to 45 characters, by a function that click is about to remove.
        command.short_help = command.get_short_help_str(_MAX_SUMMARY_CHARACTERS)
        # click marks a paragraph that is not filled with a control character.
        command.help = cleandoc(command.help or "").replace("\b\n", "")
    write_man_pages("alsoread", alsoread, version=version("alsoread"), target_dir=str(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
