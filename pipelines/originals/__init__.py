"""Read what was fetched from WARC files, and hand it over."""
