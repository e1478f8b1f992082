"""Alarms: what a run found that a person should look at."""
