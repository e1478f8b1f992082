"""Reduce words to what the search index has in their place, by SQLite's own tokenizer."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from pipelines.archive.search_index import TOKENIZER


class Stemmer:
    """Tells the stems of words. To be closed."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.execute(f"CREATE VIRTUAL TABLE words USING fts5 (word, tokenize='{TOKENIZER}')")
        self._db.execute("CREATE VIRTUAL TABLE stems USING fts5vocab (words, instance)")

    def stems_of(self, words: Collection[str]) -> dict[str, str]:
        """Return the stem of each word; none of one that SQLite takes for no word."""
        by_number = dict(enumerate(words))
        self._db.execute("DELETE FROM words")
        self._db.executemany("INSERT INTO words (rowid, word) VALUES (?, ?)", by_number.items())
        query = 'SELECT term, doc FROM stems WHERE "offset" = 0'
        return {by_number[number]: stem for stem, number in self._db.execute(query)}

    def close(self) -> None:
        """Free the memory."""
        self._db.close()
