"""Which pages are due, and in what order."""
