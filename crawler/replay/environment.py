"""Make the virtual environment of pywb, which pins older packages than alsoread uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic

from crawler.errors import DiskError, DownloadError

_CONSTRAINTS = files("crawler.replay") / "constraints.txt"
_MAX_REASON_CHARACTERS = 300


def python_of_pywb(say: Callable[[str], None]) -> Path:
    """Return the Python of the environment, which is made if there is none. Raises AlsoreadError.

    One that is half made is never used: it gets its name when it is whole.
    """
    version = _pywb_version()
    major, minor = sys.version_info[:2]
    folder = _cache_folder() / f"pywb-{version}-python{major}.{minor}"
    if _python_in(folder).exists():  # a link, which leads nowhere once that Python is gone
        return _python_in(folder)
    say(f"Installing pywb {version} in {folder}: once, and for a minute or two.")
    began = monotonic()
    with _disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        half = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _install(half, version)
            with suppress(OSError):  # another command was faster
                half.rename(folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    say(f"Installed pywb {version} in {monotonic() - began:.0f} s.")
    return _python_in(folder)


def _pywb_version() -> str:
    lines = _CONSTRAINTS.read_text(encoding="utf-8").split()
    return dict(line.split("==") for line in lines)["pywb"]


def _cache_folder() -> Path:
    """Return the folder for what can be made anew, as the XDG base directory specification has it."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if named.startswith("/") else Path.home() / ".cache") / "alsoread"


def _python_in(folder: Path) -> Path:
    return folder / "bin" / "python"


def _install(folder: Path, version: str) -> None:
    _run(sys.executable, "-m", "venv", str(folder))
    with as_file(_CONSTRAINTS) as constraints:
        pip = [str(_python_in(folder)), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
        _run(*pip, "install", "--constraint", str(constraints), f"pywb=={version}")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
        reason = (errors or lines or [f"exit code {done.returncode}"])[0][:_MAX_REASON_CHARACTERS]
        raise DownloadError(
            f"pywb can't be installed: {reason.rstrip('.')}. Check that the machine is online and that "
            "`python3 -m venv` works, and run the same command again."
        )


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskError(f"{error.filename or folder} can't be written: {error.strerror or error}.") from None
