"""Read articles of templates that are not known."""
