"""Ways to damage an archive: its files at random, and the columns of rows whose truth stands somewhere else too."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random


def edit(data: Path, query: str, *values: object) -> None:
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        assert db.execute(query, values).rowcount in (1, -1), query


def flip_a_byte(data: Path, random: Random) -> None:
    path = any_file(data, random)
    held = bytearray(path.read_bytes())
    held[random.randrange(len(held))] ^= random.randrange(1, 256)
    path.write_bytes(held)


def cut_short(data: Path, random: Random) -> None:
    path = any_file(data, random)
    held = path.read_bytes()
    path.write_bytes(held[: random.randrange(len(held))])


def take_away(data: Path, random: Random) -> None:
    any_file(data, random).unlink()


def swap(data: Path, random: Random) -> None:
    one, other = random.sample(files(data), 2)
    shutil.copyfile(one, other)


def files(data: Path) -> list[Path]:
    return sorted((data / "articles").rglob("*.md"))


def any_file(data: Path, random: Random) -> Path:
    return random.choice(files(data))


_OTHER: dict[str, dict[str, tuple[str, ...]]] = {
    "articles": {
        "title": ("'Another'", "NULL"),
        "author": ("'Another'", "NULL"),
        "date": ("'2020-01-01T00:00:00.000Z'", "'no time'", "NULL"),
        "updated": ("'2020-01-01T00:00:00.000Z'", "NULL"),
        "tags": ("""'["another"]'""", "'[]'", "'no JSON'", "'[1'"),
        "categories": ("""'["another"]'""", "'{'"),
        "description": ("description || ' '", "NULL"),
        "keywords": ("'another'",),
        "thumbnail": ("NULL",),
        "lang": ("'xx'", "NULL"),
        "license": ("'https://example.org/'",),
        "body": ("body || ' '", "substr(body, 2)", "upper(body)", "''"),
        "words": ("words + 1", "-1"),
        "body_hash": ("'another'", "upper(body_hash)"),
        "file_hash": ("'another'", "NULL"),
        "path": ("'../../outside.md'", "path || 'x'"),
        "url": ("url || 'x/'", "'no address'", "'https://one.techidaily.com/'"),
    },
    "pages": {
        "url": ("url || 'x/'", "'no address'"),
        "host": ("'elsewhere.example'", "'two.techidaily.com'"),
        "depth": ("100", "-1"),
        "attempts": ("7",),
    },
    "also_read": {
        "text": ("'Another'", "''"),
        "position": ("NULL", "position + 7", "-1", "1 + position % 4"),
    },
    "images": {"url": ("'https://pictures.example/other.jpg'",), "alt": ("NULL",), "title": ("'Another'",)},
}
"""Other values for columns whose truth stands somewhere else too, in SQL."""


def edit_a_row(data: Path, random: Random) -> None:
    """Gives a column of a row another value."""
    table = random.choice(list(_OTHER))
    column = random.choice(list(_OTHER[table]))
    value = random.choice(_OTHER[table][column])
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        chosen = random.choice(db.execute(_ROWS[table].format(column=column, value=value)).fetchall())
        keys = " AND ".join(f"{key} = ?" for key in _KEYS[table])
        db.execute(f"UPDATE {table} SET {column} = {value} WHERE {keys}", chosen)


_KEYS = {
    "articles": ["id"],
    "pages": ["id"],
    "also_read": ["source", "target"],
    "images": ["article", "position"],
}


_ROWS = {
    "articles": "SELECT id FROM articles WHERE {column} IS NOT {value}",
    "pages": """SELECT id FROM pages WHERE {column} IS NOT {value}
                AND (id IN (SELECT target FROM also_read) AND state <> 'failed' OR '{column}' = 'host')""",
    "also_read": "SELECT source, target FROM also_read WHERE position NOT NULL AND {column} IS NOT {value}",
    "images": "SELECT article, position FROM images WHERE {column} IS NOT {value}",
}
"""The rows that the value would change, and of which the truth stands somewhere else too."""
