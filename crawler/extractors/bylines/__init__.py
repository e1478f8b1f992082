"""Bylines in the text of an article."""
