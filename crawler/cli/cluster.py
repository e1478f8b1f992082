"""`alsoread cluster`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crawler.cli.options import archive_options, data_folder, json_flag, reports_errors
from crawler.config.file import read_config
from crawler.errors import UsageError


@click.command()
@click.argument("what", type=click.Choice(["status"]))
@data_folder
@archive_options("cluster.address")
@json_flag
@reports_errors
def cluster(what: str, data: str, as_json: bool, **settings: Any) -> None:  # noqa: ARG001 - there is one
    """Show the state of a crawl that runs on a cluster.

    \b
    Examples:
      alsoread cluster status --cluster 192.168.1.10:6379
      alsoread cluster status --json
    """
    from crawler.cluster.run import status as find_status
    from crawler.reports.cluster import print_status, print_status_json

    address = settings["ALSOREAD_CLUSTER"] or read_config(Path(data))["cluster.address"]
    if not address:
        raise UsageError("Name the cluster: --cluster ADDRESS, or cluster.address in alsoread.toml.")
    (print_status_json if as_json else print_status)(find_status(address, Path(data)))
