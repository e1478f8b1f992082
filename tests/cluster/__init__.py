"""Tests of the same crawl by many processes on Ray."""
