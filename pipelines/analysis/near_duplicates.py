"""Group nearly identical articles into families, each with one canonical member.

Articles with the same text are one text, which ranks by its earliest article: by its date, then its address. In this
order, a text joins the first canonical text that it is similar to; if there is none, it is canonical itself. So the
families depend on the articles alone, and not on the order in which they were archived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from heapq import heappop, heappush
from typing import NamedTuple

from sqlite_utils import Database

from crawler import shutdown
from pipelines.analysis.minhash import METHOD, bands_of
from pipelines.analysis.shingles import Shingles, shingles, similarity
from pipelines.archive.analyses import fingerprint_of, forget_comparison, record_analysis

ShinglesOf = Callable[[str], Shingles]
"""Returns the shingles of the text with a hash."""

Spread = Callable[[Callable[[list[str]], list[list[int]]], Iterable[list[str]]], Iterable[list[list[int]]]]
"""Calls a function for batches of texts: `map`, or what does the same in other processes."""

MIN_SIMILARITY = 0.8
"""Jaccard similarity from which on two texts are nearly identical."""
_ANALYSIS = "near_duplicates"
_TEXT_BATCH_SIZE = 100
"""Texts whose bands are stored in one commit."""
_CACHED_TEXTS = 256
_UNDATED = "9999"
"""In place of a date that is not known: such an article ranks behind all others."""


def update(db: Database, spread: Spread = map) -> int:
    """Compare the articles that are new or changed with all others, and return how many.

    When a signal comes it ends early; the next update goes on. Raises sqlite3.Error.
    """
    if fingerprint_of(db, _ANALYSIS) != METHOD:
        with db.atomic():
            forget_comparison(db)
            record_analysis(db, _ANALYSIS, METHOD)
    _store_bands(db, spread)
    if shutdown.is_asked():
        return 0
    with db.atomic():
        compared, affected = _assign_texts(db)
        _Families(db, lru_cache(_CACHED_TEXTS)(partial(_read_shingles, db))).update(affected)
    return compared


def _read_shingles(db: Database, body_hash: str) -> Shingles:
    """Return the shingles of the text with this hash."""
    return shingles(_read_text(db, body_hash))


def _read_text(db: Database, body_hash: str) -> str:
    query = "SELECT body FROM articles WHERE body_hash = ? LIMIT 1"
    text: str = db.execute(query, [body_hash]).fetchone()[0]
    return text


def _store_bands(db: Database, spread: Spread) -> None:
    """Store the bands of texts that were never compared, batch by batch."""
    new = [
        body_hash
        for (body_hash,) in db.execute(
            """SELECT DISTINCT body_hash FROM article_texts JOIN articles ON articles.id = article
               WHERE NOT compared AND body_hash NOT IN (SELECT body_hash FROM texts)"""
        )
    ]
    batches = [new[start : start + _TEXT_BATCH_SIZE] for start in range(0, len(new), _TEXT_BATCH_SIZE)]
    texts = ([_read_text(db, body_hash) for body_hash in batch] for batch in batches)
    for batch, bands_of_batch in zip(batches, spread(bands_of, texts), strict=False):
        with db.atomic():
            for body_hash, bands in zip(batch, bands_of_batch, strict=True):
                insert = "INSERT INTO texts (body_hash) VALUES (?) RETURNING id"
                (text,) = db.execute(insert, [body_hash]).fetchone()
                db.conn.executemany(
                    "INSERT OR IGNORE INTO text_bands (hash, text) VALUES (?, ?)",
                    [(band, text) for band in bands],
                )
        if shutdown.is_asked():
            return


def _assign_texts(db: Database) -> tuple[int, set[int]]:
    """Assign new and changed articles to their texts; return how many, and the texts that they had or have."""
    affected = db.execute(
        """SELECT text FROM article_texts WHERE NOT compared AND text IS NOT NULL
           UNION SELECT id FROM texts WHERE canonical IS NULL"""
    ).fetchall()
    assigned = db.execute(
        """UPDATE article_texts SET compared = 1,
             text = (SELECT texts.id FROM articles JOIN texts USING (body_hash) WHERE articles.id = article)
           WHERE NOT compared RETURNING text"""
    ).fetchall()
    return len(assigned), {text for (text,) in (*affected, *assigned)}


class _Text(NamedTuple):
    """A text that is to be compared; texts sort by their ranks."""

    rank: str
    id: int
    body_hash: str


_SHARE_A_BAND = """texts.id IN (SELECT other.text FROM text_bands AS own JOIN text_bands AS other USING (hash)
                                WHERE own.text = :text)"""
_IS_CANONICAL = "texts.canonical = texts.id"
_MEMBERS = "texts.canonical = :text"
_MAY_JOIN = f"""{_SHARE_A_BAND} AND texts.rank > :rank
                AND coalesce((SELECT rank FROM texts AS present WHERE present.id = texts.canonical), '~') > :rank"""
"""Texts that rank after this one, and are not of the family of one that ranks before it."""


class _Families:
    """Bring the families up to date after texts came, went or got another rank, in the caller's transaction."""

    def __init__(self, db: Database, shingles_of: ShinglesOf) -> None:
        self._db, self._shingles_of = db, shingles_of
        self._queue: list[_Text] = []
        self._queued: set[int] = set()

    def update(self, affected: set[int]) -> None:
        """Compare each text whose canonical text may be another one now, in the order of their ranks.

        What it decides depends on texts that rank before it, which are decided by then.
        """
        ranked_anew = {text for text in affected if self._rank(text)}
        for text in ranked_anew:
            self._queue_up(f"texts.id = :text OR {_MEMBERS}", text)
        self._remove_unused()
        while self._queue:
            first = heappop(self._queue)
            self._decide(first, is_ranked_anew=first.id in ranked_anew)

    def _rank(self, text: int) -> bool:
        """Set the earliest article of a text, and its rank, and return whether that is another one than before.

        Both are NULL where no article has it any more.
        """
        ranks = "SELECT rank FROM texts WHERE id = ?"
        (previous,) = self._db.execute(ranks, [text]).fetchone()
        self._db.execute(
            """UPDATE texts SET (first, rank) = (
                 SELECT articles.id, coalesce(date, :undated) || ' ' || url AS rank
                 FROM article_texts JOIN articles ON articles.id = article WHERE text = :text
                 ORDER BY rank LIMIT 1)
               WHERE id = :text""",
            {"text": text, "undated": _UNDATED},
        )
        (rank,) = self._db.execute(ranks, [text]).fetchone()
        return rank is None or rank != previous

    def _remove_unused(self) -> None:
        """Remove texts that no article has any more."""
        unused = "(SELECT id FROM texts WHERE rank IS NULL)"
        self._db.execute(f"UPDATE texts SET canonical = NULL WHERE canonical IN {unused}")
        self._db.execute(f"DELETE FROM text_bands WHERE text IN {unused}")
        self._db.execute("DELETE FROM texts WHERE rank IS NULL")

    def _queue_up(self, condition: str, text: int, rank: str = "") -> None:
        """Queue the texts that meet a condition with the parameters `text` and `rank`."""
        for row in self._select(condition, text, rank):
            if row.id not in self._queued:
                self._queued.add(row.id)
                heappush(self._queue, row)

    def _select(self, condition: str, text: int, rank: str) -> list[_Text]:
        query = f"SELECT texts.rank, texts.id, texts.body_hash FROM texts WHERE texts.rank NOT NULL AND ({condition})"
        rows = self._db.execute(query, {"text": text, "rank": rank}).fetchall()
        return sorted(map(_Text._make, rows))

    def _decide(self, text: _Text, *, is_ranked_anew: bool) -> None:
        """Find the canonical text of a text, and queue those after it that this may concern."""
        (previous,) = self._db.execute("SELECT canonical FROM texts WHERE id = ?", [text.id]).fetchone()
        canonical, likeness = self._first_similar(text)
        query = "UPDATE texts SET canonical = ?, similarity = ? WHERE id = ?"
        self._db.execute(query, [canonical, likeness, text.id])
        if canonical == text.id and (previous != text.id or is_ranked_anew):
            self._queue_up(_MAY_JOIN, text.id, text.rank)
        elif canonical != text.id and previous == text.id:
            self._queue_up(_MEMBERS, text.id)

    def _first_similar(self, text: _Text) -> tuple[int, float]:
        """Return the first canonical text that a text is similar to, and how much; itself if there is none."""
        earlier = f"{_SHARE_A_BAND} AND texts.rank < :rank AND {_IS_CANONICAL}"
        for candidate in self._select(earlier, text.id, text.rank):
            likeness = similarity(self._shingles_of(text.body_hash), self._shingles_of(candidate.body_hash))
            if likeness >= MIN_SIMILARITY:
                return candidate.id, likeness
        return text.id, 1.0
