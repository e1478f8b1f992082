"""Pages of templates that are not known."""
