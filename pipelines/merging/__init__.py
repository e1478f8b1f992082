"""Archives that were made on different machines become one. The other is only read."""
