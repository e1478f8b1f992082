"""Entry point of `alsoread` and `python -m crawler`: handles signals before anything else is loaded."""

from __future__ import annotations

from crawler import shutdown


def main() -> None:
    """Run a command. From here on a signal ends it cleanly, even while its libraries load."""
    shutdown.install()
    from crawler.cli import main as alsoread
    from crawler.cli.output import check_written, survive_lost_readers

    survive_lost_readers()

    try:
        alsoread(prog_name="alsoread")
    finally:
        shutdown.ignore()
        check_written()


if __name__ == "__main__":
    main()
