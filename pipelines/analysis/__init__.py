"""Answer questions about the archive as a whole: search."""
