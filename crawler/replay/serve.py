"""Serve the collection of the current folder on loopback, until standard input ends.

Runs as a script in the environment of pywb, so it imports nothing of alsoread. Its output is a line of
JSON: the `port`, or an `error`.
"""

import json
import os
import sys


def main(port: int) -> None:
    """Serve on this port; 0 is any that is free."""
    from gevent.monkey import patch_all

    patch_all()  # before anything else is imported

    from gevent import get_hub
    from gevent.pywsgi import WSGIServer
    from pywb.apps.frontendapp import FrontEndApp
    from pywb.utils.geventserver import RequestURIWSGIHandler

    _show_what_was_not_modified()
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever pywb prints is for the log
    app = FrontEndApp("config.yaml")
    server = WSGIServer(("127.0.0.1", port), app, log=None, handler_class=RequestURIWSGIHandler)
    try:
        server.start()
    except OSError as error:
        print(json.dumps({"error": os.strerror(error.errno or 0)}), file=answer, flush=True)
        return
    print(json.dumps({"port": server.server_port}), file=answer, flush=True)
    get_hub().threadpool.apply(sys.stdin.buffer.read)
    server.stop()


def _show_what_was_not_modified() -> None:
    """Let a visit that was answered "not modified" show the response that it refers to.

    pywb gives the 304 itself to the browser, which then shows nothing.
    """
    from pywb.warcserver.resource.resolvingloader import ResolvingLoader
    from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped]
    from warcio.timeutils import iso_date_to_timestamp  # type: ignore[import-untyped]

    load = ResolvingLoader.load_headers_and_payload

    def load_original(self, cdx, failed_files, cdx_loader):  # type: ignore[no-untyped-def]
        if cdx.get("mime") != "warc/revisit" or cdx.get("status") != "304":
            return load(self, cdx, failed_files, cdx_loader)
        fields = self._resolve_path_load(cdx, False, failed_files).rec_headers
        url, date = (fields.get_header(f"WARC-Refers-To-{name}") for name in ("Target-URI", "Date"))
        if url and date:
            for original in self.load_cdx_for_dupe(url, iso_date_to_timestamp(date), None, cdx_loader):
                record = self._resolve_path_load(original, False, failed_files)
                return record, record
        raise ArchiveLoadFailed(self.MISSING_REVISIT_MSG)  # another visit is shown

    ResolvingLoader.load_headers_and_payload = load_original


if __name__ == "__main__":
    main(int(sys.argv[1]))
