"""The `alsoread` command line: a module for each kind of task, loaded when one of its commands is asked for."""

from __future__ import annotations

from collections import UserDict
from importlib import import_module
from typing import Any

import click

_SECTIONS = {
    "Begin": {
        "init": "init:init",
        "doctor": "init:doctor",
    },
    "Crawl": {
        "crawl": "crawl:crawl",
        "cluster": "cluster:cluster",
        "images": "images:images",
        "schedule": "schedule:schedule",
        "notify": "notify:notify",
    },
    "Read": {
        "status": "status:status",
        "alarms": "status:alarms",
        "search": "query:search",
        "show": "article:show",
        "history": "article:history",
        "diff": "article:diff",
        "report": "report:report",
        "serve": "serve:serve",
    },
    "Files": {
        "export": "export:export",
        "graph": "graph:graph",
        "import": "import_:import_",
        "merge": "merge:merge",
        "extract": "article:extract",
    },
    "Originals": {
        "original": "originals:original",
        "wacz": "handover:wacz",
        "bag": "handover:bag",
        "replay": "handover:replay",
    },
    "Care": {
        "accept": "accept:accept",
        "reextract": "originals:reextract",
        "verify": "verify:verify",
        "rebuild": "import_:rebuild",
        "maintain": "schedule:maintain",
        "backup": "backup:backup",
        "upgrade": "backup:upgrade",
    },
}
"""Commands by section of the help: name -> module of this package and its function."""
_COMMANDS = {name: place for commands in _SECTIONS.values() for name, place in commands.items()}


class _LazyCommands(UserDict[str, Any]):
    """Load a command's module only when the command is used: `alsoread --version` answers at once."""

    def __getitem__(self, name: str) -> click.Command:
        module, _, function = super().__getitem__(name).partition(":")
        command: Any = getattr(import_module(f"crawler.cli.{module}"), function)
        assert isinstance(command, click.Command)  # noqa: S101
        return command


class _SectionedGroup(click.Group):
    """A group of commands whose help lists them by section."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        """Return the names of all commands, in the order of the help."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands by section, each with the first sentence of its help."""
        for section, commands in _SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(
                    [(name, self.commands[name].get_short_help_str(limit=80)) for name in commands]
                )


@click.group(
    cls=_SectionedGroup,
    commands=_LazyCommands(_COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(None, "-V", "--version", package_name="alsoread")
def main() -> None:
    """Follow the also-read graph of the techidaily blogs and archive every article exactly."""
