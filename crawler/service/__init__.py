"""Run scheduled crawls as a service."""
