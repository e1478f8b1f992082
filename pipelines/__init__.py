"""alsoread's archive: from an Article to a Markdown file and a row in the catalog."""
