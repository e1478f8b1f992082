"""Reports on runs and archives: for the terminal, for programs, for monitoring."""
