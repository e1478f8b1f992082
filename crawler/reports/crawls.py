"""Rows of crawls for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_PREFIX = "ALSOREAD_"


def crawl_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a crawl's row with its seeds and options as values; options are named as on the command line."""
    options = json.loads(row["options"])
    named = {name.removeprefix(_PREFIX).lower(): value for name, value in options.items()}
    return {**row, "seeds": json.loads(row["seeds"]), "options": named}
