"""Each program gets the front matter, the links and the text that its documentation asks for."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.export.flavours import FLAVOURS
from tests.conftest import ARTICLE
from tests.support.commands import here
from tests.support.exports import CASES, cases, export, files, make_archive


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the cases."""
    return cases(tmp_path_factory.mktemp("bodies"))


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_file_is_what_the_program_takes(bodies: Path, tmp_path: Path, case: str, flavour: str) -> None:
    export(bodies, tmp_path, "--for", flavour, "--links", "local")
    [made] = [content for path, content in files(tmp_path).items() if path.endswith(f"{case}.md")]
    assert made.decode() == (CASES / case / f"{flavour}.md").read_text(encoding="utf-8")


ORDERS: dict[str, Any] = {
    "layout": "../../evil",
    "permalink": "/index.html",
    "__permalink": "/",
    "slug": "../x",
    "path": "../x",
    "alias": ["/"],
    "aliases": ["/"],
    "redirect_from": ["/"],
    "redirect_to": "https://evil.example/",
    "canonical_url": "https://evil.example/",
    "type": "../../evil",
    "outputs": ["html", "evil"],
    "cascade": {"layout": "evil"},
    "build": {"render": "never"},
    "lastmod": "2024-01-01",
    "last_modified_at": "2024-01-01",
    "expiryDate": "2024-01-01",
    "published": False,
    "draft": True,
    "publish": True,
    "cssclasses": ["evil"],
    "disableNunjucks": False,
    "render_with_liquid": True,
    "sitemap": {"filename": "../x"},
    "params": {"layout": "evil"},
    "extra": {"layout": "evil"},
    "Layout": "evil",
}
"""What a file may bring along that some program takes for an order."""
TOP_LEVEL = {
    "hexo": {"permalink"},
    "hugo": {"lastmod", "url", "params"},
    "jekyll": {"permalink", "last_modified_at"},
    "obsidian": {"url", "aliases"},
}
"""Keys of a program's own that it is given beside the vocabulary."""


@pytest.mark.parametrize("flavour", TOP_LEVEL)
def test_no_key_of_a_file_gives_a_program_an_order(tmp_path: Path, flavour: str) -> None:
    with_orders = replace(ARTICLE, extra=ORDERS)
    for name, item in (("with", with_orders), ("without", ARTICLE)):
        export(make_archive(tmp_path / name, item), tmp_path / "made" / name, "--for", flavour)
    made, plain = (
        yaml.safe_load(content.decode().split("---\n")[1])
        for name in ("with", "without")
        for content in files(tmp_path / "made" / name).values()
    )
    extra = made.get("params", made).pop("extra", None)
    if flavour == "obsidian":
        kept = {f"source_{key}" for key in ("permalink", "alias", "aliases", "publish", "cssclasses")}
        assert kept < made.keys()
        assert {key: made[key] for key in plain} == plain
    else:
        assert extra == ORDERS
        assert made == plain
    assert TOP_LEVEL[flavour] <= plain.keys()


@pytest.mark.long
@pytest.mark.parametrize("flavour", [name for name in FLAVOURS if name != "obsidian"])
def test_what_a_file_brought_along_comes_back(tmp_path: Path, flavour: str) -> None:
    extra = {"mood": "calm", "layout": "evil"}
    export(make_archive(tmp_path / "one", replace(ARTICLE, extra=extra)), tmp_path / "made", "--for", flavour)
    done = here("import", tmp_path / "made", "--data", tmp_path / "two")
    assert done.exit_code == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "two" / "archive.db")) as db:
        assert json.loads(db.execute("SELECT extra FROM articles").fetchone()[0]) == extra


def _core(value: str) -> Any:
    """A plain scalar as YAML 1.2 has it in its core schema, far enough to tell it from a text."""
    if re.fullmatch(r"|~|null|Null|NULL", value):
        return None
    if re.fullmatch(r"true|True|TRUE|false|False|FALSE", value):
        return value.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", value):
        return int(value, 0 if value.startswith("0") and value[1:2] in ("o", "x") else 10)
    if re.fullmatch(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", value
    ):
        return float(value.replace(".inf", "inf").replace(".nan", "nan"))
    return value


class _Core(yaml.SafeLoader):
    """Reads YAML as version 1.2 has it."""

    def construct_scalar(self, node: Any) -> Any:
        value = super().construct_scalar(node)
        return _core(str(value)) if node.style is None else value


_Core.yaml_implicit_resolvers = {}

TRAPS = [
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "null",
    "~",
    "012",
    "0x1F",
    "1:30",
    "12:30:45",
    "2024-01-01",
    "1_000",
    "1e3",
    "0o17",
    "-.5E2",
    "1.5",
]


@pytest.mark.parametrize("trap", TRAPS)
def test_old_and_new_yaml_read_the_same_in_a_note(tmp_path: Path, trap: str) -> None:
    trapped = replace(ARTICLE, title=trap, author=trap, categories=[trap], extra={"mood": trap})
    export(make_archive(tmp_path / "data", trapped), tmp_path / "out", "--for", "obsidian")
    block = (tmp_path / "out/one.techidaily.com/bread.md").read_text().split("---\n")[1]
    old, new = yaml.safe_load(block), yaml.load(block, _Core)  # noqa: S506
    assert old == new
    assert (new["title"], new["author"], new["categories"], new["mood"]) == (trap, trap, [trap], trap)
    assert new["aliases"] == [trap]
    assert all(isinstance(value, str | list) for value in new.values())
