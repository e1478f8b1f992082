"""Faults of servers and pages in one table: what is answered, and what must become of a page and of its copy."""
