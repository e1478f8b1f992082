"""Run commands in processes that are forked off one that has loaded the program, so that they start at once."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

_LOADED = (
    "crawler.cli.crawl",
    "crawler.cli.images",
    "crawler.runs.crawl",
    "crawler.runs.images",
    "crawler.spiders.also_read",
    "crawler.spiders.images",
    "crawler.downloader.handler",
    "crawler.downloader.middlewares",
    "crawler.reports.metrics",
    "crawler.reports.summary",
    "pipelines.analysis.graph",
    "pipelines.analysis.near_duplicates",
    "pipelines.importing.run",
    "pipelines.store",
    "surt",
)
"""What takes longest to load, and neither starts a reactor nor depends on the environment."""


def run(args: Sequence[str], patience: float) -> subprocess.CompletedProcess[str]:
    """Run a command as `python -W error -m crawler` does. Raises TimeoutExpired after `patience` seconds."""
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        there = (Path.cwd(), dict(os.environ), out.name, err.name)
        process = _server().Process(target=_main, args=(args, *there))
        process.start()
        process.join(patience)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(["alsoread", *args], patience, out.read(), err.read())
        code = process.exitcode
        assert code is not None
        return subprocess.CompletedProcess(args, code, out.read().decode(), err.read().decode())


@cache
def _server() -> ForkServerContext:
    """Start the process that the others are forked off, in which a warning is an error, and that has no threads."""
    context = get_context("forkserver")
    context.set_forkserver_preload([*_LOADED])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONWARNINGS", "error")
        environment.setenv("OPENBLAS_NUM_THREADS", "1")
        forkserver.ensure_running()
    return context


def _main(args: Sequence[str], folder: Path, environment: Mapping[str, str], out: str, err: str) -> None:
    """Run a command in a process that has just been forked."""
    for name, number in ((out, 1), (err, 2)):
        file = os.open(name, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    from crawler import clock

    importlib.reload(clock)  # the one loaded module that reads the environment
    from crawler.__main__ import main

    sys.argv = ["alsoread", *args]
    main()
