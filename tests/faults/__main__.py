"""Prints the table: each row with what was expected and obtained."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.faults.crawls import visit_twice
from tests.faults.judging import shortcomings
from tests.faults.table import ROWS


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        visits = visit_twice(Path(folder), ROWS)
    failed = 0
    for name, row in ROWS.items():
        result = visits.results[name]
        missing = list(shortcomings(row, result))
        failed += bool(missing)
        verdict = "FAILED" if missing else "ok"
        print(f"{verdict:6}  {row.category:14}  {name}")
        print(f"        expected  {row.state}, copy {row.copy}, reason {row.reason!a}")
        print(f"        obtained  {result.state}, copy {result.copy}, reason {result.reason!a}")
        for sentence in missing:
            print(f"        {sentence!a}")
    for sentence in visits.wrong:
        print(f"FAILED  {sentence!a}")
    print(f"{len(ROWS)} rows, {failed} failed, {len(visits.wrong)} faults of the whole")
    return 1 if failed or visits.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
