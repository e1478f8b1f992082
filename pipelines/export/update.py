"""Brings a folder up to date: writes what changed, keeps what people edited, removes what is to go."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.export.folder import Folder, Stand, digest
from pipelines.export.making import Made, Maker
from pipelines.export.manifest import Manifest, Planned, Written

Watch = Callable[[int], None]
"""Told now and then how many articles are done."""


@dataclass(slots=True)
class Result:
    """What an export came to."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: list[str] = field(default_factory=list)
    """Paths of files that stand in the way: export did not write them, or they were edited since."""


class _Ready(NamedTuple):
    row: int
    path: str
    content: bytes


class Update:
    """One run over a folder. Its methods raise OSError and ArchiveError."""

    def __init__(self, folder: Folder, manifest: Manifest, maker: Maker) -> None:
        self._folder, self._manifest, self._maker = folder, manifest, maker
        self._result = Result()

    def run(self, watch: Watch, *, prune: bool) -> Result:
        """Writes all that was planned; with `prune`, removes the files of articles that were not."""
        done = 0
        with ThreadPoolExecutor(1) as thread:  # the next articles are made while these wait for the disk
            writing = thread.submit(self._write, [])
            for batch in self._manifest.batches():
                stale = [item for item, file in batch if not self._is_current(item, file)]
                ready = [
                    found for item, made in self._maker.make(stale) if (found := self._prepare(item, made))
                ]
                self._manifest.stand(writing.result())
                self._manifest.commit()  # before the files, so that they are known for ours whatever happens
                writing = thread.submit(self._write, ready)
                self._result.written += len(ready)
                done += len(batch)
                watch(done)
            self._manifest.stand(writing.result())
        self._result.unchanged = done - self._result.written - len(self._result.kept)
        if prune:
            self._manifest.give_up_unchosen()
        for file in self._manifest.given_up():
            self._remove(file)
        return self._result

    def _write(self, ready: list[_Ready]) -> list[tuple[int, Stand]]:
        return [(row, self._folder.write(path, content)) for row, path, content in ready]

    def _is_current(self, item: Planned, file: Written | None) -> bool:
        if file is None or file.path != item.path or file.key != item.key:
            return False
        return file.stand is not None and file.stand == self._folder.look(item.path)

    def _prepare(self, item: Planned, made: Made) -> _Ready | None:
        """What is to be written for an article, if anything."""
        content = made.text.encode()
        stand, new = self._folder.look(item.path), digest(content)
        old = self._ours(item.path, stand, new) if stand else None
        if stand and not old:
            self._result.kept.append(item.path)
            return None
        row = self._manifest.intend(item, new, old, made.mentions)
        if stand and old == new:
            self._manifest.stand([(row, stand)])
            return None
        return _Ready(row, item.path, content)

    def _ours(self, path: str, stand: Stand, new: bytes) -> bytes | None:
        """The hash of what stands at a path, if the export wrote it or could have; else None."""
        there = self._manifest.at(path)
        if there and stand == there.stand:
            return there.hash
        held = self._folder.digest(path)
        return held if held == new or (there and held in (there.hash, there.was)) else None

    def _remove(self, file: Written) -> None:
        stand = self._folder.look(file.path)
        if stand and not self._manifest.is_planned(file.path):
            ours = stand == file.stand or self._folder.digest(file.path) in (file.hash, file.was)
            if ours:
                self._folder.remove(file.path)
                self._result.removed += 1
            else:
                self._result.kept.append(file.path)
        self._manifest.forget(file.id)
