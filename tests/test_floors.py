"""The libraries with known weaknesses are installed in versions without them."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.version import Version

FLOORS = {
    "scrapy": "2.19",  # redirects that leak credentials or leave http, slow patterns, decompression bombs
    "twisted": "26.4.0",  # CVE-2026-42304
    "lxml": "6.1.1",  # CVE-2026-41066, CVE-2025-7424, CVE-2025-11731
    "lxml-html-clean": "0.4.5",  # CVE-2026-28350, GHSA-4jhm-jv67-739f
    "trafilatura": "2.2",  # quotes what it writes into headers
    "pyyaml": "6.0",  # CVE-2020-14343
    "brotli": "1.2.0",  # CVE-2025-6176
    "aiohttp": "3.14.1",  # CVE-2026-54278
    "urllib3": "2.7.0",  # CVE-2025-66418, CVE-2025-66471, CVE-2026-44432
    "filelock": "3.20.3",  # CVE-2025-68146, CVE-2026-22701
    "datasette": "0.65.2",  # CVE-2025-64481
    "idna": "3.7",  # CVE-2024-3651
}


@pytest.mark.parametrize("name", FLOORS)
def test_a_library_is_new_enough(name: str) -> None:
    assert Version(version(name)) >= Version(FLOORS[name])


def test_python_is_new_enough() -> None:
    assert sys.version_info >= (3, 11, 1), "CVE-2022-45061"


def test_brotli_is_not_shadowed() -> None:
    """Both are imported as `brotli`; Scrapy can't use the other."""
    with pytest.raises(PackageNotFoundError):
        version("brotlipy")
