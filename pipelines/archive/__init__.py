"""The archive: catalog and files."""
