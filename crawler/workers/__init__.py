"""Run code in other processes."""
