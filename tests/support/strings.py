"""Strings that YAML could read as something else, or could not write as they are."""

from __future__ import annotations

YAML_TRAPS = [
    *("", " ", "yes", "No", "ON", "null", "~", "y", "1", "1.5", "1e3", "0x1F", "012", "1:30", ".inf"),
    *("-.5E2", "0o17", "/a: b", "/a", "2024-01-01T10:00:00.000Z"),
    *("2024-01-01", "2024-01-01 10:00:00", "12:30:45"),
    *("- a", "-", "? a", "a: b", "a:b", "a:", ": a", "a #b", "a#b", "#a", "&a", "*a", "!a", "|", ">",),
    *("%a", "@a", "`a`"),
    *("[New] A", "{a}", "'a'", '"a"', "it's", 'say "a"', "a, b", "<<", "=", "---", "--- a", "...", "a\\b"),
    *(" a", "a ", "a  b", "a\u00a0", "\u00a0a", "a\nb", "a\n", "\ta", "a\tb", "a\x85b", "a\u2028b",),
    *("\ufeffa", "a\x7fb"),
    *("été", "Ünlü", "今日は: 世界", "a 💿", "a\U0001f600 #b", "\ud7ff", "\ue000a", "a\ufffd",),
    *("x" * 300, "a: " + "b " * 200),
]  # fmt: skip
