"""Serve an archive's originals: pywb over its WARC files and their indexes, none of which is copied."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler import shutdown
from crawler.errors import UsageError
from pipelines.archive.warc import FOLDER

COLLECTION = "archive"
_STOP_SECONDS = 5.0
_CONFIG = f"""\
collections:
  {COLLECTION}:
    index_paths: {FOLDER}/
    archive_paths: {FOLDER}/
enable_auto_colls: false
framed_replay: false
redirect_to_exact: true
"""


def serve(python: Path, data: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve on loopback until a signal comes; `ready` gets the address. Raises AlsoreadError and OSError."""
    with (
        _collection(data) as folder,
        _server(python, folder, port) as server,
        shutdown.steps(lambda: _stop(server)),
    ):
        answer = json.loads(server.stdout.readline() or "{}") if server.stdout else {}
        if "error" in answer:
            raise UsageError(f"Port {port} can't be used: {answer['error']}. Choose another with --port.")
        if "port" in answer and not shutdown.is_asked():
            ready(f"http://127.0.0.1:{answer['port']}/{COLLECTION}/")
            server.wait()
        if not shutdown.is_asked():
            raise UsageError(f"pywb ended: {_last_line(folder / 'log')}")


@contextmanager
def _server(python: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server in the folder of a collection; it ends with the block."""
    script = files("crawler.replay") / "serve.py"
    with (
        as_file(script) as path,
        (folder / "log").open("wb") as log,
        subprocess.Popen(  # noqa: S603
            [python, path.absolute(), str(port)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for this process
        ) as server,
    ):
        try:
            yield server
        finally:
            _stop(server)
            try:
                server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()


@contextmanager
def _collection(data: Path) -> Iterator[Path]:
    """Make a folder of pywb that leads to the files of an archive."""
    with TemporaryDirectory(prefix="alsoread-replay-") as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(_CONFIG, encoding="utf-8")
        (folder / FOLDER).symlink_to((data / FOLDER).absolute())
        with as_file(files("crawler.replay") / "templates") as templates:
            shutil.copytree(templates, folder / "templates")
        yield folder


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Close what the server reads until it ends."""
    assert server.stdin is not None  # noqa: S101
    with suppress(OSError):
        server.stdin.close()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
