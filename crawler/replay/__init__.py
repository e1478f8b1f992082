"""Show the originals of an archive as the pages that they were, by pywb in a virtual environment of its own."""
