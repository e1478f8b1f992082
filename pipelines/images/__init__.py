"""Copies of images."""
