"""Front-matter Markdown on its way into the archive: exports of ours, copies of its files, sources of blogs."""
