"""Bodies in gzip: whole ones, several members in a row, damaged ones, and ones larger than allowed."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.content_encoding import TooLarge, Undecodable, decode

LIMIT = 2000
MEMBERS = st.lists(st.binary(max_size=600), min_size=1, max_size=4)


def packed(members: list[bytes]) -> bytes:
    return b"".join(gzip.compress(member, mtime=0) for member in members)


@given(MEMBERS)
def test_members_in_a_row_are_one_body(members: list[bytes]) -> None:
    content = b"".join(members)
    if len(content) > LIMIT:
        with pytest.raises(TooLarge):
            decode(packed(members), "gzip", LIMIT)
    else:
        assert decode(packed(members), "gzip", LIMIT) == content


@given(MEMBERS, st.data())
def test_a_damaged_body_is_an_error_or_decodes_to_what_was_packed(
    members: list[bytes], data: st.DataObject
) -> None:
    body = bytearray(packed(members))
    body[data.draw(st.integers(len(packed(members[:-1])), len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        content = decode(bytes(body), "gzip", 4 * LIMIT)
    except Undecodable:
        return
    # A member whose first bytes are damaged is taken for what some servers write behind the last one.
    assert content in (b"".join(members), b"".join(members[:-1]))


@given(MEMBERS, st.data())
def test_a_body_that_is_cut_within_its_last_member_is_an_error(
    members: list[bytes], data: st.DataObject
) -> None:
    body, rest = packed(members), packed(members[:-1])
    with pytest.raises(Undecodable):
        decode(body[: data.draw(st.integers(len(rest) + 3, len(body) - 1))], "gzip", 4 * LIMIT)


@given(st.binary(max_size=600), st.binary(min_size=1, max_size=9))
def test_bytes_behind_the_last_member_are_left_out(content: bytes, junk: bytes) -> None:
    if not junk.startswith(b"\x1f"):
        assert decode(packed([content]) + junk, "gzip", LIMIT) == content
