"""A folder of hosts, served on loopback for a benchmark: by nginx where it is installed, which costs the least."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_CONFIG = """
worker_processes 1; pid {run}/pid; error_log {run}/error.log; daemon off;
events {{ worker_connections 1024; }}
http {{
  include /etc/nginx/mime.types; access_log off; sendfile on; keepalive_requests 100000; gzip on;
  client_body_temp_path {run}; proxy_temp_path {run}; fastcgi_temp_path {run};
  uwsgi_temp_path {run}; scgi_temp_path {run};
  server {{
    listen 127.0.0.1:{port}; root {sites}/$host; index index.html; error_page 404 /404.html;
    location / {{ try_files $uri $uri/ =404; }}
  }}
}}
"""


@contextmanager
def served(sites: Path) -> Iterator[str]:
    """The address of a server in a process of its own, for as long as the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as run:
        if shutil.which("nginx"):
            config = Path(run, "nginx.conf")
            config.write_text(_CONFIG.format(run=run, port=port, sites=sites.resolve()))
            command = ["nginx", "-c", str(config), "-e", f"{run}/error.log"]
        else:
            serve = "import sys, time; from pathlib import Path; from tests.site import Site; "
            serve += f"Site(Path(sys.argv[1]), {port}).__enter__(); time.sleep(1e6)"
            command = [sys.executable, "-c", serve, str(sites)]
        with subprocess.Popen(command) as server:
            wait_for(port)
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                server.terminate()


def wait_for(port: int) -> None:
    """Wait until a server on loopback takes connections."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            continue
        return


@contextmanager
def sites_of(folder: Path | None) -> Iterator[Path]:
    """The folder of hosts that was given; the demo network for a run without one."""
    if folder:
        yield folder
        return
    with demo_sites() as sites:
        yield sites


@contextmanager
def demo_sites() -> Iterator[Path]:
    """The demo network as a folder of hosts."""
    from tests.site import build

    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nginx reads it as another user
        build(Path(__file__).parents[1] / "data" / "demo", Path(folder))
        yield Path(folder)
