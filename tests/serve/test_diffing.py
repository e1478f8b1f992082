"""Lines that replace each other show the words that differ."""

from __future__ import annotations

from difflib import unified_diff

import pytest

from pipelines.serve.diffing import lines


def marked(old: str, new: str) -> list[str]:
    """The lines of a diff after their places, with brackets around what differs."""
    diff = unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return [
        f"{line.kind}: " + "".join(f"[{text}]" if differs else text for text, differs in line.pieces)
        for line in lines(diff)
        if line.kind != "place"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a slow loaf", "a quick loaf", ["old: a [slow ]loaf", "new: a [quick ]loaf"]),
        ("one more line", "one more long line", ["old: one more line", "new: one more [long ]line"]),
        ("salt", "salt\nand pepper", ["new: and pepper"]),
        ("a slow loaf", "a loaf\nof bread", ["old: a [slow ]loaf", "new: a loaf", "new: of bread"]),
        ("nothing alike", "other words here", ["old: nothing alike", "new: other words here"]),
        ("same\nold one\nsame", "same\nsame", ["old: old one"]),
    ],
)
def test_words_that_differ_are_marked(old: str, new: str, expected: list[str]) -> None:
    assert marked(old, new) == expected


def test_a_place_keeps_its_numbers() -> None:
    (place, *_) = lines(unified_diff(["a"], ["b"], lineterm=""))
    assert [piece.text for piece in place.pieces] == ["@@ -1 +1 @@"]
