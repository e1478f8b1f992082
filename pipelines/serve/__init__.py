"""The archive in a browser: pages of our own, and Datasette's for tables and SQL."""
