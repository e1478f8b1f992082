"""Fetch pages: all that touches the insides of Scrapy and Twisted."""
