"""A re-extraction on a cluster is that of one machine, also when processes of the cluster end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.site import SEED
from tests.support.archives import differences, files
from tests.support.batches import DIES, STALLS
from tests.support.clusters import Cluster, ray_cluster
from tests.support.commands import Run, alsoread
from tests.support.graphs import results
from tests.support.json_docs import SECTIONS, documented_keys
from tests.support.originals import damage_original
from tests.support.rereading import reread, with_more

pytestmark = pytest.mark.long

OTHER = "https://kitchen-notes.techidaily.com/tea-time/"
TASK = "_answer_batch"
"""A process of Ray's that reads."""
ROOT = Path(__file__).parents[2]


class Reextracted(NamedTuple):
    """An archive that lacks much of its articles, one that one machine re-extracted, and what that printed."""

    before: Path
    data: Path
    printed: dict[str, Any]


@pytest.fixture(scope="module")
def here(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Reextracted:
    """An article would lose too much, and the original of another is damaged."""
    folder = tmp_path_factory.mktemp("here")
    before = shutil.copytree(run.data, folder / "before")
    reread(before, where=f"url <> '{OTHER}'")
    reread(before, with_more, f"url = '{OTHER}'")
    damage_original(before, SEED)
    data = shutil.copytree(before, folder / "data")
    with chdir(folder):
        done = alsoread("reextract", "--json", "--data", "data")
    assert (done.returncode, done.stderr) == (1, "")
    return Reextracted(before, data, json.loads(done.stdout))


@pytest.fixture
def data(here: Reextracted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the archive as it was before, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(here.before, tmp_path / "data")


def test_the_result_is_that_of_one_machine(here: Reextracted, data: Path, cluster: Cluster) -> None:
    command = ["reextract", "--json", *cluster.options(2), "--data", "data"]
    announced = alsoread(*command, "--dry-run")
    assert differences(here.before, data) == []
    done = alsoread(*command)
    assert (done.returncode, done.stderr) == (1, "")
    values = json.loads(done.stdout)
    assert values == json.loads(announced.stdout) == here.printed
    assert documented_keys("alsoread reextract", values) == set(SECTIONS["alsoread reextract"])
    assert (values["changed"], len(values["quarantined"]), len(values["failures"])) == (39, 1, 1)
    assert files(data) == files(here.data)
    assert differences(here.data, data) == []
    assert results(data) == results(here.data)


def test_a_process_that_is_killed_changes_nothing(here: Reextracted, data: Path, cluster: Cluster) -> None:
    with _reextract(cluster) as command:
        os.kill(cluster.wait_for(TASK)[0], signal.SIGKILL)
        printed, said = command.communicate()
    assert (command.returncode, said) == (1, "")
    assert json.loads(printed) == here.printed
    assert differences(here.data, data) == []


def test_the_end_of_the_cluster_changes_nothing(here: Reextracted, data: Path) -> None:
    with ray_cluster() as cluster, _reextract(cluster) as command:
        cluster.wait_for(TASK)
        cluster.kill()
        printed, said = command.communicate()
    sentence = "The Ray cluster is gone; run the same command to resume."
    assert command.returncode == 11, said
    assert said.endswith(f"alsoread: {sentence}\n")
    assert json.loads(printed) == {"error": sentence, "exit_code": 11}
    assert differences(here.before, data) == []


def test_a_signal_ends_it_while_a_process_stands_still(
    here: Reextracted, data: Path, cluster: Cluster
) -> None:
    with _reextract(cluster) as command:
        reader = cluster.wait_for(TASK)[0]
        os.kill(reader, signal.SIGSTOP)
        command.send_signal(signal.SIGINT)
        printed, _ = command.communicate()
        os.kill(reader, signal.SIGKILL)
    assert (command.returncode, json.loads(printed)["exit_code"]) == (11, 11)
    assert differences(here.before, data) == []


def test_an_item_that_ends_or_stalls_a_process_costs_no_other(tmp_path: Path, cluster: Cluster) -> None:
    path = str(tmp_path / "met")
    program = "import sys; from tests.support.batches import main; main(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, cluster.address, path],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    dies = f"{DIES}: its process ended with exit code -9"
    assert answers["there"] == answers["here"]
    assert answers["here"] == ["first", f"{STALLS}: too long", dies, "last"]
    [own], [[first]], [died, [last]] = answers["spread"]
    assert own not in (first, last)
    assert died == []
    assert answers["repeated"] == [path]
    (older,) = answers["older"]
    assert older.endswith("this command 0.1.0: install the same version on every node.")


def test_no_cluster_at_the_address(here: Reextracted, cluster: Cluster) -> None:  # noqa: ARG001 - Ray is there
    done = alsoread("reextract", "--dry-run", "--cluster", "127.0.0.1:1", "--data", here.before)
    assert done.returncode == 2
    assert done.stderr == "alsoread: No Ray cluster can be used at 127.0.0.1:1: Connection refused.\n"


def _reextract(cluster: Cluster) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "crawler", "reextract", "--json", *cluster.options(1)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
