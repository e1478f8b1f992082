"""Read WARC files in the order of their records, and hand what they have to the committer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler import shutdown
from crawler.clock import parse_time
from crawler.urls import canonical_or_none, in_scope
from pipelines.archive import records
from pipelines.archive.warc import Location, split_response
from pipelines.archive.warc_index import row_of
from pipelines.archive.warc_reader import DamagedFile, Record
from pipelines.importing.recorded import PendingResponse, Recorded, Replayer, Skipped
from pipelines.importing.repeated import RepeatedResponses
from pipelines.importing.replay_commit import ReplayCommitter
from pipelines.importing.warc_files import UnreadableZip, WarcFile, copy_into, records_of

_MAX_AHEAD = 32
"""Responses that are read before the first of them is stored."""
_MAX_AHEAD_BYTES = 48 * 2**20
"""Bytes of their bodies, so that memory stays small."""


async def replay_files(
    files: Sequence[WarcFile],
    replayer: Replayer,
    committer: ReplayCommitter,
    scope: Sequence[str],
    refused: Callable[[str, str], None],
) -> None:
    """Store what WARC files have, file by file. Ends early when a signal came. Raises OSError and sqlite3.Error.

    `refused` is called with the name of each file that can't be read to its end, and why.
    """
    with (
        closing(RepeatedResponses(committer.db, committer.data)) as originals,
        TemporaryDirectory() as scratch,
    ):
        for file in files:
            try:
                copy = copy_into(committer.folder or Path(scratch), file)
            except (DamagedFile, UnreadableZip) as error:
                refused(file.name, str(error))
                continue
            damage = await _replay_file(copy.path, replayer, committer, scope, originals)
            if why := copy.damage or damage:
                refused(file.name, f"{why}; what stands before that is imported")
            if shutdown.is_asked():
                return
        committer.refuse_pages(replayer.refuse)


async def _replay_file(
    path: Path,
    replayer: Replayer,
    committer: ReplayCommitter,
    scope: Sequence[str],
    originals: RepeatedResponses,
) -> str | None:
    """Store what a file has; return why it can't be read to its end."""
    ahead: deque[PendingResponse] = deque()
    ahead_bytes = 0
    damage = None
    read = _responses(path, replayer, committer, scope, originals)
    try:
        while not shutdown.is_asked():
            try:
                response = next(read, None)
            except DamagedFile as error:
                response, damage = None, str(error)
            if response is None:
                break
            ahead.append(response)
            ahead_bytes += response.size
            while len(ahead) > _MAX_AHEAD or ahead_bytes > _MAX_AHEAD_BYTES:
                ahead_bytes -= await _settle(ahead.popleft(), committer)
        while ahead and not shutdown.is_asked():
            await _settle(ahead.popleft(), committer)
        committer.flush()
    finally:
        for response in ahead:
            response.result.cancel()
        await asyncio.gather(*(response.result for response in ahead), return_exceptions=True)
    return damage


async def _settle(response: PendingResponse, committer: ReplayCommitter) -> int:
    """Hand a response to the committer; return its bytes."""
    committer.add(response, await response.result)
    return response.size


def _responses(
    path: Path,
    replayer: Replayer,
    committer: ReplayCommitter,
    scope: Sequence[str],
    originals: RepeatedResponses,
) -> Iterator[PendingResponse]:
    """Yield the responses of a file that are being read. Raises DamagedFile and OSError."""
    seeds: Sequence[str] = ()
    for record in records_of(path):
        if record.kind == "warcinfo":
            seeds = replayer.begin(_info(record))
        if record.kind not in ("response", "revisit"):
            continue
        if seeds:  # they were known before the first response came
            committer.add_seeds(seeds, parse_time(record.fields.get("warc-date")))
            seeds = ()
        committer.counts.responses += 1
        place = Location(str(path), record.offset, record.length or 0)
        row = row_of(record)
        read = _read(record, row, place, scope, originals)
        if isinstance(read, Skipped):
            committer.skip(place, row, read)
            continue
        recorded, body_place = read
        task = asyncio.create_task(replayer.read(recorded))
        yield PendingResponse(place, row, recorded.url, recorded.at, body_place, len(recorded.body), task)


def _read(
    record: Record,
    row: records.Row | None,
    place: Location,
    scope: Sequence[str],
    originals: RepeatedResponses,
) -> tuple[Recorded, Location] | Skipped:
    """Return a record's response and where its body is, or why it is not imported."""
    moment = parse_time(record.fields.get("warc-date"))
    page = canonical_or_none(record.url)
    if row is None or moment is None or page is None:
        return Skipped.ADDRESS
    if not in_scope(page, scope):
        return Skipped.SCOPE
    if record.block is None:
        return Skipped.TOO_LARGE
    head, body = split_response(record.block)
    truncated = "warc-truncated" in record.fields
    if record.kind == "response":
        originals.add(record, row, place)
    elif row.status != HTTPStatus.NOT_MODIFIED:
        found = originals.find(record)
        if found is None:
            return Skipped.NO_ORIGINAL
        body, place = found
    return Recorded(record.url, moment, head, body, truncated), place


def _info(record: Record) -> dict[str, str]:
    lines = (record.block or b"").decode(errors="replace").splitlines()
    fields = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in fields}
