"""Import Markdown files with front matter (exports, copies of our files, sources of blogs), and WARC files."""
