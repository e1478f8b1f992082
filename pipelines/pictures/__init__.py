"""Copies of the pictures that articles show: a file below `images/`, and a row that vouches for it."""
