"""Import Markdown files with front matter: exports, copies of the archive's files, sources of blogs."""
