"""alsoread's crawler: from an address to an Article."""
