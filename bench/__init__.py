"""How fast and how well, against what: scripts that print their figures (docs/benchmarks.md)."""
