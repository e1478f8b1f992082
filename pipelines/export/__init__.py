"""Export articles as Markdown files that other programs read, as one packed file, or as a table."""
