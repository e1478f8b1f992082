"""Imports go one way, from the commands down to the ground floor."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GROUND = {"crawler", "crawler.workers"}
FLOORS: list[set[str]] = [
    GROUND,
    {"pipelines.archive"},
    {"pipelines.alarms", "pipelines.analysis", "pipelines.images", "pipelines.originals"},
    {"pipelines"},  # the stages
    {"pipelines.export", "pipelines.importing", "pipelines.merging", "pipelines.serve"},
    {"pipelines.verifying"},
    {"crawler.config", "crawler.downloader", "crawler.extractors"},
    {"crawler.extensions"},
    {"crawler.frontier"},
    {"crawler.spiders"},
    {"crawler.cluster"},
    {"crawler.runs"},
    {"crawler.reports"},
    {"crawler.replay", "crawler.service"},
    {"crawler.cli"},
    {"crawler.__main__"},
]
"""Rooms that don't import each other, from the ground floor up."""
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = [path for name in ("crawler", "pipelines") for path in sorted((ROOT / name).rglob("*.py"))]


def room_of(module: str) -> str:
    """The folder below crawler/ or pipelines/ that a module stands in, or that itself."""
    package, _, rest = module.partition(".")
    below = rest.split(".")[0]
    return (
        f"{package}.{below}"
        if below == "__main__" or ((ROOT / package / below).is_dir() and below)
        else package
    )


def imports(path: Path) -> Iterator[str]:
    """The project's modules that a file imports, in functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_nothing_from_above_or_beside_it(path: Path) -> None:
    own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name in imports(path):
        if name.split(".")[0] not in ("crawler", "pipelines"):
            continue
        other = room_of(name)
        if own.startswith("pipelines") and other.startswith("crawler"):
            assert other in GROUND, f"{name} is above the ground floor of crawler/"
        assert other == own or FLOOR[other] < FLOOR[own] or {own, other} <= GROUND, (
            f"{name} is above or beside {own}"
        )


TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_imports_no_test_and_no_bench(path: Path) -> None:
    modules = {name.rpartition(".")[0] for name in imports(path)} | set(imports(path))
    assert not [name for name in modules if re.match(r"bench\b|tests\.(\w+\.)*test_\w+$", name)]


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(".".join(path.relative_to(ROOT).with_suffix("").parts)) for path in MODULES}
    assert rooms == set(FLOOR)
