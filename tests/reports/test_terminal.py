"""No text of a page controls the terminal that shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.support.terminal import shown_by
from tests.support.visits import BREAD, MakeArticle, alsoread, crawl, failed, output_of, stored

HOSTILE = "Bread \x1b]52;c;aGk=\x07 \x1b[2J \u202edaerB"
STEERING = {*map(chr, (*range(9), *range(11, 32), *range(127, 160), 0x61C, 0x200E, 0x200F))}
STEERING |= {*map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))}


def test_no_text_steers_a_terminal(tmp_path: Path, article: MakeArticle) -> None:
    crawl(tmp_path, stored(article()), stored(article(title=HOSTILE, body=f"{HOSTILE}\n\ttab")))
    crawl(tmp_path, failed("https://one.techidaily.com/rolls/", HOSTILE))
    for command in (["history", BREAD], ["diff", BREAD], ["show", BREAD], ["status", "--failed"], ["status"]):
        assert not STEERING & set(output_of(tmp_path, *command)), command
    assert "\n+Bread \\x1b]52;c;aGk=\\x07 \\x1b[2J \\u202edaerB\n+\ttab\n" in output_of(
        tmp_path, "diff", BREAD
    )


def test_json_has_the_exact_text_and_steers_no_terminal(tmp_path: Path, article: MakeArticle) -> None:
    every = "".join(sorted(STEERING))
    crawl(tmp_path, stored(article(title=every)), failed("https://one.techidaily.com/rolls/", every))
    history, failed_pages = (
        output_of(tmp_path, *command)
        for command in (["history", BREAD, "--json"], ["status", "--failed", "--json"])
    )
    assert not STEERING & set(history + failed_pages)
    assert json.loads(history)["revisions"][0]["title"] == every
    assert json.loads(failed_pages)["pages"][0]["error"] == every


def test_an_error_names_a_hostile_file_safely(tmp_path: Path, article: MakeArticle) -> None:
    crawl(tmp_path, stored(article()))
    done = alsoread(tmp_path, "show", "https://one.techidaily.com/\x1b[2J\u202e")
    assert done.exit_code
    assert not STEERING & set(done.stderr)


def test_an_article_does_not_steer_the_terminal(tmp_path: Path, article: MakeArticle) -> None:
    body = f"{HOSTILE} &#x202e;here\n\n    {HOSTILE}\n\n![&#x202e;x](/x)\n\n- [{HOSTILE}](/x '{HOSTILE}')"
    crawl(
        tmp_path,
        stored(article(title=f"[/] {HOSTILE}", author="[/]", body=body, extra={f"[/]{HOSTILE}": "[/]"})),
    )
    shown = re.sub(
        r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\|\r\n", " ", shown_by("show", BREAD, "--data", str(tmp_path))
    )
    assert not STEERING & set(shown)
    assert r"\u202ehere" in shown
    assert shown.count("[/]") == 4, "markup of the program that lays it out is text"


def test_a_diff_is_coloured_and_does_not_steer_the_terminal(tmp_path: Path, article: MakeArticle) -> None:
    crawl(tmp_path, stored(article()), stored(article(body=f"{HOSTILE}\n\n---")))
    lines = shown_by("diff", BREAD, "--data", str(tmp_path)).split("\r\n")
    assert lines[0].startswith("\x1b[1m--- one.techidaily.com/bread.md")
    assert "\x1b[31m-## Flour\x1b[0m" in lines
    assert "\x1b[32m+Bread \\x1b]52;c;aGk=\\x07 \\x1b[2J \\u202edaerB\x1b[0m" in lines
    assert "\x1b[32m+---\x1b[0m" in lines
