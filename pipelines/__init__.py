"""alsoread's archive: from an Article to a Markdown file and a row in the catalog."""

import sys
from importlib import import_module

# sqlite-utils loads NumPy where it is installed, for values that no catalog of ours has: a quarter of the time in
# which a command starts.
if "numpy" not in sys.modules:
    sys.modules["numpy"] = None  # type: ignore[assignment] # so that importing it is an ImportError
    try:
        import_module("sqlite_utils.db")
    finally:
        del sys.modules["numpy"]
