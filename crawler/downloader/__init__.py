"""How pages are fetched: what touches Scrapy's and Twisted's insides."""
