"""The help of the commands: on the terminal, in a shell's completion and as man pages."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from crawler.cli import main
from crawler.config.options import OPTIONS
from tests.support.commands import here

ROOT = Path(__file__).parents[2]
COMMANDS = list(main.commands)


def test_every_command_has_a_whole_sentence_on_one_line() -> None:
    sections = here("--help").stdout.partition("\nBegin:\n")[2]
    lines = [line for line in sections.splitlines() if line.startswith(" ")]
    assert [line.split()[0] for line in lines] == COMMANDS
    for line in lines:
        assert re.fullmatch(r"  [a-z]+ +[A-Z][^.]*(\.toml)?\.", line), line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_it_accepts(name: str) -> None:
    examples = re.findall(r"^    (alsoread .*)$", here(name, "--help").stdout, re.MULTILINE)
    assert examples
    command = main.commands[name]
    for example in examples:
        _, first, *arguments = shlex.split(example)
        assert first == name
        command.make_parser(click.Context(command)).parse_args(arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name: str) -> None:
    options = [param for param in main.commands[name].params if isinstance(param, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("crawl", ["crawl.delay", "crawl.rate", "crawl.discover"]),
        ("images", ["crawl.delay", "crawl.rate"]),
        ("schedule", ["schedule.jitter"]),
    ],
)
def test_help_has_the_defaults_of_the_table_of_options(name: str, keys: list[str]) -> None:
    lines = here(name, "--help").stdout.splitlines()
    for option in map(OPTIONS.__getitem__, keys):
        (line,) = [line for line in lines if line.startswith(f"  {option.flag} ")]
        assert line.endswith(f"{option.help}  [default: {option.default}]")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["crwl"], "No such command 'crwl'. Did you mean 'crawl'?"),
        (["hist"], "No such command 'hist'. Did you mean 'history'?"),
        (["nothing-like-it"], "No such command 'nothing-like-it'."),
        (["crawl", "--dellay", "3"], "No such option '--dellay'. Did you mean '--delay'?"),
    ],
)
def test_a_mistyped_command_has_a_suggestion(arguments: list[str], said: str) -> None:
    done = here(*arguments)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, f"Error: {said}")


@pytest.mark.long
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: str) -> None:
    def complete(instruction: str, **words: str) -> str:
        environment = os.environ | {"_ALSOREAD_COMPLETE": f"{shell}_{instruction}", **words}
        command = [sys.executable, "-W", "error", "-m", "crawler"]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    script = complete("source")
    assert f"_ALSOREAD_COMPLETE={shell}_complete" in script
    assert "alsoread" in script
    position = {"fish": {"COMP_CWORD": "cra"}}.get(shell, {"COMP_CWORD": "1"})
    assert "crawl" in re.split(r"[,\s]", complete("complete", COMP_WORDS="alsoread cra", **position))
    position = {"fish": {"COMP_CWORD": "--rec"}}.get(shell, {"COMP_CWORD": "2"})
    words = "alsoread crawl" if shell == "fish" else "alsoread crawl --rec"
    assert "--recrawl" in re.split(r"[,\s]", complete("complete", COMP_WORDS=words, **position))


def test_every_command_has_a_man_page(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(ROOT / ".ci" / "man.py"), str(tmp_path / "man")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "man").iterdir()}
    assert set(pages) == {"alsoread", *(f"alsoread-{name}" for name in COMMANDS)}
    for name in COMMANDS:
        assert (
            f"\nalsoread\\-{name} \\- {main.commands[name].get_short_help_str(120)}\n"
            in pages[f"alsoread-{name}"]
        )
        assert re.search(rf"^Examples?:\n  alsoread {name}", pages[f"alsoread-{name}"], re.MULTILINE)
    assert [name for name, page in pages.items() if re.search(r"[^\n -~]", page)] == []
    if shutil.which("groff") is None:
        pytest.skip("groff: a formatter of man pages is not installed")
    formatted = ["groff", "-ww", "-man", "-Tascii", *map(str, (tmp_path / "man").iterdir())]
    done = subprocess.run(formatted, check=True, capture_output=True, text=True)
    assert (done.stderr, "alsoread crawl" in done.stdout) == ("", True)
