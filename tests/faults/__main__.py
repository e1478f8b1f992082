"""`python -m tests.faults`: the table with what was expected and what came of it, as a report."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.runs import FaultServer, outcomes, visit
from tests.faults.table import FAULTS


def main() -> int:
    """Crawl the table, and print a row a fault. Returns how many are not as expected."""
    with TemporaryDirectory() as folder, FaultServer() as server:
        new, known = Path(folder, "new"), Path(folder, "known")
        visit(server, new)
        server.healthy = True
        visit(server, known)
        good = outcomes(known)
        server.healthy = False
        visit(server, known, "--recrawl", "all")
        rows = list(zip(FAULTS, outcomes(new), good, outcomes(known), strict=True))
    wrong = 0
    print("| category | fault | a new page | its reason | a good copy |\n| --- | --- | --- | --- | --- |")
    for fault, found, before, after in rows:
        kept = after.body == before.body
        misjudged = found.state != fault.state or fault.reason not in found.reason
        wrong += misjudged or not (kept or fault.category == "markup")
        name = fault.name.replace("|", "\\|").replace("\n", " ")
        expected = f" (expected {fault.state})" if misjudged else ""
        state, copy = f"{found.state}{expected}", "kept" if kept else "edited"
        print(f"| {fault.category} | `{name}` | {state} | {found.reason} | {copy} |")
    counts = Counter(fault.category for fault in FAULTS)
    kinds = ", ".join(f"{count} {category}" for category, count in counts.items())
    print(f"\n{len(FAULTS)} faults, {wrong} not as expected: {kinds}.")
    return wrong


if __name__ == "__main__":
    raise SystemExit(min(main(), 1))
