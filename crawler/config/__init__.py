"""Settings of an archive: its file, its options, their units."""
