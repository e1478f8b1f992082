"""A small blog network for the tests: what its posts say, its pages as files, and a server for them."""

from tests.site.builder import build
from tests.site.posts import Blog, Post, blogs, posts
from tests.site.server import Request, Site

SEED = "https://kitchen-notes.techidaily.com/a-slow-loaf-for-a-busy-week/"
"""Following also-read lists and redirects from here reaches every post but those only a sitemap names."""

__all__ = ["SEED", "Blog", "Post", "Request", "Site", "blogs", "build", "posts"]
