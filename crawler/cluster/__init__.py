"""Work of many processes on Ray: a crawl, whose coordinator holds the archive, and batches of a re-extraction."""
