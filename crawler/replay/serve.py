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


if __name__ == "__main__":
    main(int(sys.argv[1]))
