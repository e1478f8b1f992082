"""Recognise addresses of crawler traps. Pure."""

from __future__ import annotations

from collections import Counter

from crawler.urls import slug_of

PATH_SEGMENTS = 10
"""Maximum of segments in a path: posts have one, and no page of the blogs more than three."""
SEGMENT_REPEATS = 2
"""Maximum of occurrences of one segment in a path; links that are relative by mistake repeat it."""


def find_trap(url: str) -> str | None:
    """Return why a canonical address is a trap, or None.

    >>> find_trap("https://howto.techidaily.com/a-post/") is None
    True
    >>> find_trap("https://howto.techidaily.com/a/b/a/b/a/")
    "'a' occurs 3 times in the path, more than 2"
    >>> find_trap("https://howto.techidaily.com/1/2/3/4/5/6/7/8/9/10/11/")
    'the path has 11 segments, more than 10'
    """
    segments = slug_of(url).split("/")
    if len(segments) > PATH_SEGMENTS:
        return f"the path has {len(segments)} segments, more than {PATH_SEGMENTS}"
    segment, times = Counter(segments).most_common(1)[0]
    if times > SEGMENT_REPEATS:
        return f"{segment!r} occurs {times} times in the path, more than {SEGMENT_REPEATS}"
    return None
