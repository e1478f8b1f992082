"""Answer questions about the archive as a whole: search, the also-read graph, near-duplicates."""
