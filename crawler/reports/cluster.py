"""Show the state of a crawl on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

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
