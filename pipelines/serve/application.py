"""Build the application: Datasette over the catalog, with our pages, behind the guard."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from pipelines.archive.connection import readonly_uri
from pipelines.serve import plugin
from pipelines.serve.addresses import DATABASE
from pipelines.serve.guard import Access, Application, Guard
from pipelines.serve.metadata import metadata
from pipelines.serve.pages import Report

_FOLDER = Path(__file__).parent
_SETTINGS = {
    "default_page_size": 50,
    "truncate_cells_html": 160,  # characters: a body would fill the page
    "sql_time_limit_ms": 2_000,  # a question to a large archive that no index answers
    "facet_time_limit_ms": 2_000,  # the tags of 30,000 articles take the half of it
    "allow_download": False,  # without the write-ahead log the file is not whole: `alsoread backup`
    "suggest_facets": False,  # it tries every column of a large table; the usual ones are shown
}


class _Catalog(Database):  # type: ignore[misc]
    """The catalog, for reading alone, while a crawl may write to it."""

    def __init__(self, datasette: Datasette, path: Path, report: Report) -> None:
        super().__init__(datasette, path=str(path))
        self.report = report

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open a connection for the thread that uses it; the server closes it from another one."""
        if write:
            raise sqlite3.OperationalError("the catalog is for reading only")
        connection = sqlite3.connect(readonly_uri(Path(self.path)), uri=True, check_same_thread=False)
        self._all_file_connections.append(connection)
        return connection

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        """Run a query. Who asked gets its error; the terminal does not."""
        return await super().execute(*arguments, **options | {"log_sql_errors": False})


def build(catalog: Path, access: Access, report: Report) -> Application:
    """Return the application (ASGI) that serves the archive of a catalog; `report` makes its page of charts."""
    if not pm.has_plugin(plugin.__name__):
        pm.register(plugin, plugin.__name__)
    datasette = Datasette(
        metadata=metadata(),
        settings=_SETTINGS,
        template_dir=str(_FOLDER / "templates"),
        static_mounts=[("static", str(_FOLDER / "static"))],
    )
    datasette.remove_database("_memory")  # it comes where no file is named
    datasette.add_database(_Catalog(datasette, catalog, report), name=DATABASE)
    return Guard(datasette.app(), access)
