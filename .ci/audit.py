"""Check the pinned versions of constraints.txt for known vulnerabilities, as far as the advisories can be reached."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

_AUDIT = (
    "pip_audit",
    "--requirement",
    "constraints.txt",
    "--no-deps",
    "--disable-pip",
    "--progress-spinner",
    "off",
)

_TIMEOUT_SECONDS = 120


def main() -> None:
    """Exits with 1 if a pinned version has a known vulnerability."""
    command = [sys.executable, "-m", *_AUDIT, "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, subprocess.TimeoutExpired):
        print("Warning: pip-audit could not reach its advisories: nothing was audited.", file=sys.stderr)
        return
    skipped = sum("skip_reason" in package for package in packages)
    if skipped:
        print(f"Warning: {skipped} of {len(packages)} pinned packages could not be audited.", file=sys.stderr)
    found = [_line(package, flaw) for package in packages for flaw in package.get("vulns", ())]
    sys.exit("\n".join(found) or 0)


def _line(package: dict[str, Any], flaw: dict[str, Any]) -> str:
    fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
    return f"{package['name']} {package['version']} has {flaw['id']}; fixed in: {fixed}."


if __name__ == "__main__":
    main()
