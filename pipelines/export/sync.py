"""Bring a folder up to date: write what changed, keep what people edited, remove what is to go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

from pipelines.export.manifest import Manifest, ManifestRow
from pipelines.export.plan import Plan, PlannedFile
from pipelines.export.target import FileStat, Folder, digest

Watch = Callable[[int], None]
"""Called with the number of files that are done."""


@dataclass(slots=True)
class Result:
    """Paths of an export's files, by what became of them."""

    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    """Their number."""
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Files in the way: export did not write them, or they were edited since."""


class Sync:
    """Bring a folder up to date once. Raises OSError and AlsoreadError; it may end anywhere: the next one resumes."""

    def __init__(self, folder: Folder, manifest: Manifest, plan: Plan, flavour: str) -> None:
        self._folder, self._manifest, self._plan = folder, manifest, plan
        self._maker = f"{version('alsoread')} {flavour}\n".encode()
        self._result = Result()

    def run(self, watch: Watch, *, prune: bool) -> Result:
        """Write all that was planned; with `prune`, remove the files of what was not."""
        for done, file in enumerate(self._plan.files(), 1):
            self._update(file)
            watch(done)
        if prune:
            unplanned = [url for url in self._manifest.urls() if not self._plan.has("url", url)]
            self._manifest.give_up(unplanned)
        for row in self._manifest.given_up():
            self._remove(row)
        return self._result

    def _update(self, file: PlannedFile) -> None:
        """Write a file that is not up to date, unless somebody else's file is there."""
        made_of = self._plan.made_of(file)
        key = digest(self._maker + made_of.facts)
        path, current = file.place.path, self._folder.stat(file.place.path)
        row = self._manifest.of_url(file.url)
        if row and current and (row.path, row.key, row.stat) == (path, key, current):
            self._result.unchanged += 1
            return
        content = self._plan.content(made_of)
        hash_ = digest(content)
        previous_hash = self._own_hash(path, current, hash_) if current else None
        if current and not previous_hash:
            self._result.kept.append(path)
            return
        # Before the file is in place, so that it is known for ours whatever happens.
        self._manifest.begin_write(file.url, path, key, hash_, previous_hash)
        if current and previous_hash == hash_:
            self._result.unchanged += 1
        else:
            current = self._folder.write(path, content)
            self._result.written.append(path)
        self._manifest.end_write(path, current)

    def _own_hash(self, path: str, current: FileStat, new: bytes) -> bytes | None:
        """Return the hash of the file at a path if the export wrote it or could have; else None."""
        row = self._manifest.of_path(path)
        if row and row.stat == current:
            return row.hash
        hash_ = self._folder.hash(path)
        return hash_ if hash_ == new or (row and hash_ in (row.hash, row.previous_hash)) else None

    def _remove(self, row: ManifestRow) -> None:
        current = self._folder.stat(row.path)
        if current and not self._plan.has("path", row.path):
            if current == row.stat or self._folder.hash(row.path) in (row.hash, row.previous_hash):
                self._folder.remove(row.path)
                self._result.removed.append(row.path)
            else:
                self._result.kept.append(row.path)
        self._manifest.forget(row.path)
