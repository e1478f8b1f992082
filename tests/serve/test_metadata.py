"""Datasette says of each table, column and view what docs/catalog.md says, and answers its questions."""

from __future__ import annotations

import json
import os
import re
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipelines.archive.schema import MIGRATIONS
from pipelines.serve.metadata import metadata

ROOT = Path(__file__).parents[2]
CATALOG = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
DESCRIPTIONS = ROOT / "pipelines" / "serve" / "descriptions.json"
_ROW = re.compile(r"^\| `?(\w+)`? \| (.*?) ?\|$", re.MULTILINE)
_QUESTION = re.compile(r'^### (.+\?)\n\n```console\n\$ sqlite-utils \$db "(select .*?)"', re.MULTILINE)
_LIMIT = re.compile(r" limit \d+$")
_OF_THE_DEMO = re.compile(r"like '|value = '")
"""What a question asks that only the demo network's archive answers."""
_LINK = re.compile(r"\[(.*?)\]\(.*?\)")


def plain(markdown: str) -> str:
    """A description without its links and code spans."""
    return _LINK.sub(r"\1", markdown).replace("`", "").strip()


def described() -> dict[str, dict[str, object]]:
    """What docs/catalog.md says of tables with their columns, and of views."""
    tables, _, views = CATALOG.partition("\n## Views")
    found: dict[str, dict[str, object]] = {}
    for name, text in re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", tables, re.MULTILINE | re.DOTALL):
        prose, _, columns = text.partition("\n| ---")
        paragraph = " ".join(line for line in prose.splitlines() if line and not line.startswith("|"))
        found[name] = {
            "description": plain(paragraph),
            "fields": {column: plain(meaning) for column, meaning in _ROW.findall(columns)},
        }
    for name, answers in _ROW.findall(views.partition("\n## ")[0].partition("| ---")[2]):
        found[name] = {"description": f"{plain(answers)[:1].upper()}{plain(answers)[1:]}."}
    return found


def questions() -> dict[str, dict[str, str]]:
    """The questions of docs/catalog.md with their SQL, by a name for addresses."""
    asked = [(title, sql) for title, sql in _QUESTION.findall(CATALOG) if not _OF_THE_DEMO.search(sql)]
    return {
        "-".join(re.findall(r"\w+", title.lower())): {"title": title, "sql": _LIMIT.sub("", sql)}
        for title, sql in asked
    }


def test_datasette_has_the_descriptions_of_the_documentation() -> None:
    contents = {"tables": described(), "queries": questions()}
    expected = json.dumps(contents, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("ALSOREAD_GOLDEN") == "write":
        DESCRIPTIONS.write_text(expected, encoding="utf-8")
        pytest.fail("descriptions.json was written: run the test again")
    assert DESCRIPTIONS.read_text(encoding="utf-8") == expected, "ALSOREAD_GOLDEN=write writes it"


def test_every_question_has_an_answer() -> None:
    with closing(Database(memory=True)) as db:
        MIGRATIONS.apply(db)
        queries = metadata()["databases"]["archive"]["queries"]
        assert len(queries) > 15
        for query in queries.values():
            parameters = dict.fromkeys(re.findall(r":(\w+)", query["sql"]), "")
            db.execute(query["sql"], parameters).fetchall()
