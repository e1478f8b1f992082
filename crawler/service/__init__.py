"""Scheduled crawls."""
