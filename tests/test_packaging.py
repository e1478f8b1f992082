"""The wheel is complete: installed anywhere, it crawls the default seeds from any folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.site import Site

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what git tracks."""
    built, source = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("source")
    subprocess.run(["git", "-C", ROOT, "checkout-index", "--all", f"--prefix={source}/"], check=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run([*command, "--wheel-dir", built, source], check=True)
    (wheel,) = built.glob("*.whl")
    return wheel


def test_a_wheel_crawls_the_default_seeds_from_any_folder(
    wheel: Path, network: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    installed = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    with Site(network) as site:
        command = [sys.executable, "-P", "-m", "crawler", "crawl", "--json", "--connect-to", site.url]
        environment = os.environ | {"PYTHONPATH": str(installed)}
        done = subprocess.run(
            [*command, "--max-pages", "4"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert json.loads(done.stdout)["crawl"]["pages"] == 4, done.stderr
    assert (tmp_path / "data" / "archive.db").is_file()
    hosts = (installed / "crawler" / "frontier" / "seeds.txt").read_text().split()
    assert {request.host for request in site.log} <= set(hosts)


def test_a_wheel_holds_the_program_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = [Path(name) for name in archive.namelist()]
    program = [path for path in files if not path.parts[0].endswith(".dist-info")]
    assert {path.parts[0] for path in program} == {"crawler", "pipelines"}
    assert sorted(path for path in program if path.suffix != ".py") == [
        Path("crawler/frontier/seeds.txt"),
        Path("crawler/replay/constraints.txt"),
        Path("crawler/replay/templates/custom_banner.html"),
        Path("crawler/reports/page/page.css"),
        Path("crawler/reports/page/page.html"),
        Path("crawler/reports/page/page.js"),
        Path("crawler/reports/page/vendor/LICENSE"),
        Path("crawler/reports/page/vendor/NOTICE"),
        Path("crawler/reports/page/vendor/echarts.min.js"),
        *sorted(
            path.relative_to(ROOT)
            for path in (ROOT / "pipelines" / "serve").rglob("*.*")
            if path.suffix in (".css", ".html", ".js", ".json", ".svg")
        ),
    ]
