"""Integrity checks of an archive, and their repairs."""
