"""Whether an archive is what it should be, and what can be mended."""
