"""Show the state of a crawl on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from crawler.reports.terminal import print_json
from crawler.text import counted


def print_status(status: Mapping[str, Any]) -> None:
    """Print what the coordinator says of its crawl."""
    pages, queued = status["counts"]["pages"], sum(status["queued"].values())
    click.echo(
        f"Crawl {status['crawl']}: {counted(pages, 'page')} done, {queued:,} queued, {status['rate']:.1f} a second"
    )
    for label, value in (
        ("workers", f"{status['workers']:,}"),
        ("hosts leased", f"{len(status['hosts']):,}"),
        (
            "pages leased",
            f"{status['pages_leased']:,}, the oldest for {status['oldest_lease_seconds']:.1f} s",
        ),
        ("results waiting", f"{status['results_waiting']:,}"),
        ("results fenced", f"{status['results_fenced']:,}"),
    ):
        click.echo(f"  {label:<15}  {value}")


def print_status_json(status: Mapping[str, Any]) -> None:
    """Print the same as JSON."""
    print_json(
        {
            "crawl": {"id": status["crawl"], **status["counts"]},
            "queued": sum(status["queued"].values()),
            "pages_per_second": status["rate"],
            "cluster": cluster_values(status),
        }
    )


def cluster_values(status: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a crawl that only a cluster has."""
    return {
        "workers": status["workers"],
        "hosts_leased": len(status["hosts"]),
        "pages_leased": status["pages_leased"],
        "oldest_lease_seconds": status["oldest_lease_seconds"],
        "results_waiting": status["results_waiting"],
        "results_fenced": status["results_fenced"],
    }
