"""Find bylines in the text of an article."""
