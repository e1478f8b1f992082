"""One crawl by many processes on Ray: a coordinator holds the archive, workers fetch and read pages."""
