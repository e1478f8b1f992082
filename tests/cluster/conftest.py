"""What the tests of a crawl on a cluster share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.clusters import Cluster, ray_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Ray cluster on loopback."""
    with ray_cluster() as running:
        yield running
