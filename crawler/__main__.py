"""`python -m crawler` is `alsoread`."""

from crawler.cli import main

if __name__ == "__main__":  # the reader's processes import this module too
    main(prog_name="alsoread")
