"""Runs of a spider, from options to outcome."""
