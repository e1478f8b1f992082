"""Programs of others that read what alsoread writes, where they are installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

WACZ = Path(os.environ.get("WACZ", "no such folder"), "bin", "wacz")
needs_wacz = pytest.mark.skipif(
    not WACZ.is_file(), reason="WACZ names no virtual environment: pip install wacz in one"
)
