"""`alsoread`, and `python -m crawler`: what has to be in place before anything else is loaded."""

from __future__ import annotations

from crawler import shutdown
from crawler.cli.output import check_written, survive_lost_readers


def main() -> None:
    """Run a command. A signal ends it well from here on, also while its libraries are loading."""
    shutdown.install()
    survive_lost_readers()
    from crawler.cli import main as alsoread

    try:
        alsoread(prog_name="alsoread")
    finally:
        shutdown.ignore()
        check_written()


if __name__ == "__main__":  # the reader's processes import this module too
    main()
