"""How fast, against what: each script prints a ratio."""
