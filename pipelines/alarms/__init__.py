"""Alarms: findings of a run that need attention."""
