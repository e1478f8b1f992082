"""Code that runs in other processes."""
