"""Out of the archive: articles as Markdown files that other programs read, as one file of them, or as a table."""
