"""Scrapy signals of the project."""

archive_opened = object()
"""The archive is open, before anything is fetched. Sent by the frontier, with `catalog` and `frontier`."""
