"""The files of deploy/ for systemd, cron and containers, checked by the tools that read them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from kubernetes_validate import ValidationError, latest_version, validate

from crawler.cli import main
from crawler.config.units import parse_cron
from crawler.exit_codes import MEANINGS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
INSTALLED = "/opt/alsoread/.venv/bin/alsoread"
UNITS = sorted(path.name for path in DEPLOY.glob("*.*") if path.suffix in (".service", ".timer"))


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def tool(name: str, package: str) -> str:
    """The path of a program; a test that needs it is skipped without it."""
    if path := shutil.which(name):
        return path
    pytest.skip(f"{name} is missing: it is in the Debian package {package}")


def check_usage(arguments: list[str]) -> None:
    """Fails if a command line of this program is a usage error."""
    command = main.get_command(click.Context(main), arguments[0])
    assert command
    with command.make_context(arguments[0], list(arguments[1:])):
        pass


@pytest.mark.long
@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_the_units(tmp_path: Path, name: str) -> None:
    analyze = tool("systemd-analyze", "systemd")
    for unit in UNITS:  # a timer names its service
        (tmp_path / unit).write_text(
            read(unit).replace(INSTALLED, str(Path(sys.executable).parent / "alsoread"))
        )
    done = subprocess.run([analyze, "verify", tmp_path / name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_a_unit_runs_valid_commands_and_stops_them_once(name: str) -> None:
    commands = re.findall(r"^Exec\w+=(.*)$", read(name), re.MULTILINE)
    assert commands
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == INSTALLED
        check_usage(arguments)
    assert "\nKillMode=mixed\n" in read(name)
    assert "\nSuccessExitStatus=11 13\n" in read(name)


def test_the_timer_makes_up_for_a_day_on_which_the_machine_was_off() -> None:
    assert {"Persistent=true", "RandomizedDelaySec=20min"} <= set(read("alsoread-crawl.timer").splitlines())


def crontab_lines() -> list[tuple[str, str]]:
    """The cron expression and command of each line, also of those that are commented out."""
    line = re.compile(r"^#?([\d*]\S* \S+ \S+ \S+ \S+)  (.*)$", re.MULTILINE)
    return line.findall(read("alsoread.crontab"))


@pytest.mark.long
def test_cron_accepts_the_crontab() -> None:
    done = subprocess.run(
        [tool("crontab", "cron"), "-n", DEPLOY / "alsoread.crontab"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_crontab_runs_valid_commands() -> None:
    lines = crontab_lines()
    assert len(lines) == 3
    for when, what in lines:
        parse_cron(when)
        assert "%" not in what, "cron ends a command there"
        command = re.match(r'"\$ALSOREAD" ([^>|]*)', what)
        assert command, what
        check_usage(shlex.split(command[1]))


@pytest.mark.parametrize(
    ("code", "mailed"), [(0, ""), (1, "alsoread: exit code 1. "), (7, "alsoread: exit code 7. ")]
)
def test_cron_mails_only_what_needs_attention(tmp_path: Path, code: int, mailed: str) -> None:
    fake = tmp_path / "alsoread"
    fake.write_text(f"#!/bin/sh\nexit {code}\n")
    fake.chmod(0o755)
    environment = {"ALSOREAD": str(fake), "DATA": str(tmp_path)}
    for _, command in [crontab_lines()[0], crontab_lines()[2]]:
        done = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(mailed)
        assert bool(done.stdout) == bool(mailed)


def test_the_image_has_what_the_program_needs_and_starts_the_service() -> None:
    text = read("Dockerfile").replace("\\\n", "")
    steps = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    copied = [path for step, rest in steps if step == "COPY" for path in rest.split()[:-1]]
    listed = subprocess.run(
        ["git", "ls-files", *copied], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for path in copied:
        assert any(name == path or name.startswith(f"{path}/") for name in listed.stdout.splitlines()), path
        assert f"!{path}" in read("Dockerfile.dockerignore").splitlines()
    assert {"pyproject.toml", "constraints.txt", "crawler", "pipelines"} <= set(copied)
    last = dict(steps)
    assert json.loads(last["ENTRYPOINT"]) == ["alsoread"]
    check_usage(json.loads(last["CMD"]))
    assert last["USER"] == "alsoread"
    assert last["VOLUME"] == "/data"


def compose_config(name: str) -> subprocess.CompletedProcess[str]:
    """What docker compose makes of a file."""
    docker = shutil.which("docker")
    plugin = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    command = (
        [docker, "compose"]
        if plugin and not plugin.returncode
        else [tool("docker-compose", "docker-compose")]
    )
    return subprocess.run(
        [*map(str, command), "--file", str(DEPLOY / name), "config"],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
def test_compose_accepts_its_file() -> None:
    done = compose_config("compose.yaml")
    assert done.returncode == 0, done.stderr
    service = yaml.safe_load(done.stdout)["services"]["alsoread"]
    assert service["stop_grace_period"] in ("2m", "2m0s")
    assert Path(service["build"]["context"]) == ROOT


@pytest.mark.long
def test_compose_accepts_the_cluster_and_opens_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    refused = compose_config("compose.cluster.yaml")
    assert refused.returncode
    assert "a secret of your own" in refused.stderr
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a-secret")
    done = compose_config("compose.cluster.yaml")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services.keys() == {"head", "worker"}
    for service in services.values():
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert "ports" not in service
    assert services["worker"]["deploy"]["replicas"] == 3
    start, crawl = services["head"]["command"][0].split(" && exec ")
    assert "--include-dashboard=false" in start
    check_usage(shlex.split(crawl)[1:])


def kuberay() -> dict[str, Any]:
    """The objects for Kubernetes, by kind."""
    return {document["kind"]: document for document in yaml.safe_load_all(read("kuberay.yaml"))}


def pods() -> list[dict[str, Any]]:
    """The pods that KubeRay makes of its object: the head's, and a worker's."""
    spec = kuberay()["RayCluster"]["spec"]
    templates = [group["template"] for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"])]
    return [{"apiVersion": "v1", "kind": "Pod", **template} for template in templates]


def test_kubernetes_accepts_its_objects_and_the_pods() -> None:
    objects, version = kuberay(), latest_version()
    for checked in (objects["PersistentVolumeClaim"], objects["NetworkPolicy"], *pods()):
        validate(checked, version, strict=True)
    mistyped, _ = pods()
    mistyped["spec"]["containers"][0]["volumeMount"] = []
    with pytest.raises(ValidationError):
        validate(mistyped, version, strict=True)


def test_ray_reads_the_cluster_as_it_is_meant() -> None:
    """KubeRay's own schema is in no package: its fields are those that Ray's half of it reads, and no others."""
    pytest.importorskip("ray", reason="ray is not installed (the extra `cluster`)")
    from ray.autoscaler._private.kuberay import autoscaling_config, node_provider

    cluster = kuberay()["RayCluster"]
    assert (cluster["apiVersion"], cluster["spec"]["rayVersion"]) == ("ray.io/v1", metadata.version("ray"))
    assert cluster["spec"].keys() == {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
    (workers,) = cluster["spec"]["workerGroupSpecs"]
    of_both = {"rayStartParams", "template"}
    assert cluster["spec"]["headGroupSpec"].keys() == of_both
    assert workers.keys() == {"groupName", "replicas", "minReplicas", "maxReplicas", *of_both}
    cluster["metadata"]["namespace"] = "default"  # where Kubernetes puts it
    kinds = autoscaling_config._derive_autoscaling_config_from_ray_cr(cluster)["available_node_types"]
    read = {
        name: (kind["min_workers"], kind["max_workers"], kind["resources"]["CPU"])
        for name, kind in kinds.items()
    }
    assert read == {"headgroup": (0, 0, 2), "workers": (3, 3, 1)}
    assert node_provider._worker_group_replicas(cluster, 0) == 3


def test_the_pods_run_valid_commands() -> None:
    pytest.importorskip("ray", reason="ray is not installed (the extra `cluster`)")
    from ray.scripts.scripts import start

    head, worker = (pod["spec"]["containers"][0]["args"][0].replace("$POD_IP", "10.0.0.1") for pod in pods())
    begin, schedule = head.split(" && exec ")
    for command in (begin, worker.removeprefix("exec ")):
        with start.make_context("start", shlex.split(command)[2:]):
            pass
    assert {"--head", "--num-cpus=0", "--include-dashboard=false"} <= set(shlex.split(begin))
    check_usage(shlex.split(schedule)[1:])
    check_usage(["crawl", *shlex.split(schedule.partition(" -- ")[2])])
    assert kuberay()["RayCluster"]["metadata"]["annotations"] == {"ray.io/overwrite-container-cmd": "true"}


def test_the_pods_have_few_rights_and_no_open_port() -> None:
    objects = kuberay()
    user = re.search(r"--uid (\d+)", read("Dockerfile"))
    assert user
    for pod in pods():
        (container,) = pod["spec"]["containers"]
        environment = {variable["name"]: variable for variable in container["env"]}
        assert environment["RAY_AUTH_MODE"]["value"] == "token"
        assert environment["RAY_AUTH_TOKEN"]["valueFrom"].keys() == {"secretKeyRef"}
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        assert pod["spec"]["securityContext"]["runAsUser"] == int(user[1])
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert not {"ports", "hostPort", "hostNetwork"} & {*container, *pod["spec"]}
    policy = objects["NetworkPolicy"]["spec"]
    assert policy["podSelector"] == {
        "matchLabels": {"ray.io/cluster": objects["RayCluster"]["metadata"]["name"]}
    }
    assert policy["ingress"] == [{"from": [{"podSelector": policy["podSelector"]}]}]
    (volume,) = pods()[0]["spec"]["volumes"]
    claim = objects["PersistentVolumeClaim"]["metadata"]["name"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim


def test_compose_keeps_the_archive_and_builds_the_image() -> None:
    document = yaml.safe_load(read("compose.yaml"))
    service = document["services"]["alsoread"]
    assert (ROOT / "deploy" / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert service["volumes"] == ["data:/data"]
    assert "data" in document["volumes"]
    assert service["init"] is True


def test_systemd_and_the_documentation_have_the_same_exit_codes() -> None:
    text = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8").partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", text, re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == MEANINGS
    for name in ("alsoread.service", "alsoread-crawl.service"):
        named = re.findall(r"^(?:SuccessExitStatus|RestartPreventExitStatus)=(.*)$", read(name), re.MULTILINE)
        assert {int(code) for codes in named for code in codes.split()} <= MEANINGS.keys()
