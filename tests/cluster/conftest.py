"""What the tests of a crawl on a cluster share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.clusters import ray_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of a Ray cluster on loopback."""
    with ray_cluster() as address:
        yield address
