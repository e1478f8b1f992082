"""Merge archives that were made on different machines. The other one is only read."""
