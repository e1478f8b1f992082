"""Rows of the texts in a page: in any charset, and with a meaning of their own elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tests.faults.pages import TEXT, page
from tests.faults.row import Row, over_copy, stored
from tests.support.hostile import reply, says

_PAGE = page().encode()

_CODECS = {
    # label: the text that its bytes can say
    **dict.fromkeys(
        ("utf-8", "utf8", "unicode-1-1-utf-8", "utf-16", "utf-16le", "utf-16be", "gb18030"), "Café Чайник"
    ),
    **dict.fromkeys(("iso-8859-1", "latin1", "windows-1252", "us-ascii", "iso-8859-15"), "Café à deux"),
    **dict.fromkeys(("windows-1251", "koi8-r", "koi8-u", "iso-8859-5", "cp866", "x-mac-cyrillic"), "Чайник"),
    **dict.fromkeys(("shift_jis", "euc-jp", "iso-2022-jp"), "コーヒー"),
    **dict.fromkeys(("gbk", "gb2312", "big5"), "咖啡"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "커피"),
    **dict.fromkeys(("windows-874", "tis-620"), "กาแฟ"),
    **dict.fromkeys(("windows-1250", "iso-8859-2"), "Káva dvě"),
    "windows-1253": "Καφές",
    "windows-1254": "Kahve şeker",
    "windows-1255": "קפה",
    "windows-1256": "قهوة",
    "windows-1258": "Cà phê",
}
_ENCODED_AS = {
    "us-ascii": "cp1252",
    "unicode-1-1-utf-8": "utf-8",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
    "utf-16le": "utf-16",
    "utf-16be": "utf-16",
}
_NO_CHARSETS = (
    *("punycode", "idna", "hex", "zlib", "bz2", "rot13", "base64", "quopri", "uu", "undefined", "utf-7"),
    *(
        "unicode_escape",
        "raw_unicode_escape",
        "mbcs",
        "oem",
        "cp037",
        "utf-32",
        "none",
        "x" * 99,
        "\x01",
        "x-user-defined",
        "../../etc/passwd",
        "iso-2022-kr",
        "hz",
    ),
)


def charsets() -> Iterator[Row]:
    """Charsets named right, wrong, twice or not at all; those that are no charset of texts change nothing."""
    for label, words in _CODECS.items():
        codec = _ENCODED_AS.get(label, label.strip())
        name = "".join(char if char.isalnum() else "-" for char in label.strip().lower())
        body = page(f"<p>{words}.</p>{TEXT}", title=words, charset=None).encode(codec)
        yield _says(f"header-{name}", body, words, f"text/html; charset={label}")
        if codec != "utf-16":
            body = page(f"<p>{words}.</p>{TEXT}", title=words, charset=label).encode(codec)
            yield _says(f"meta-{name}", body, words, "text/html")
            yield _says(f"meta-{name}-header-wrong", body, words, "text/html; charset=punycode")
    for number, label in enumerate(_NO_CHARSETS):
        name = label if label.isalnum() and len(label) < 20 else f"odd-{number}"
        body = page(title="Café", charset=label).encode()
        yield _says(f"not-text-{name}", body, "Café", f"text/html; charset={label}")
    for name, header, bom in (("latin1", "iso-8859-1", b""), ("bom", "utf-16", b"\xef\xbb\xbf")):
        body = bom + page(title="Café").encode()
        yield _says(f"utf-8-called-{name}", body, "Café", f"text/html; charset={header}")
    undecodable = TEXT.replace("kettle", "k\xe9ttle").encode("latin-1")
    spoiled = says(reply(_PAGE.replace(TEXT.encode(), undecodable)))
    yield over_copy("latin-1-as-utf-8-over-copy", "charsets", spoiled, "undecodable: ")
    misread = says(reply(page(f"<p>{'Café à deux. ' * 3}</p>{TEXT}".encode().decode("cp1252")).encode()))
    name, words = "charset-misread-by-the-site", "characters look like UTF-8 read as another encoding"
    yield stored(name, "charsets", misread, reason=f"mojibake: 3 {words}")
    kept = f"mojibake: 3 more {words}; the archived copy is kept"
    yield over_copy(f"{name}-over-copy", "charsets", misread, kept)


def dates() -> Iterator[Row]:
    """Dates that no post can have: stored as the page has them, with a reason."""
    for year, why in (
        (1, "before the web"),
        (1970, "before the web"),
        (2999, "in the future"),
        (9999, "in the future"),
    ):
        answer = says(reply(_PAGE.replace(b"2024-03-01T", f"{year:04}-01-02T".encode())))
        yield stored(f"date-{year:04}", "dates", answer, reason=f"odd-date: {year:04}-01-02 is {why}")


def _says(name: str, body: bytes, title: str, kind: str) -> Row:
    answer = says(reply(body, content_type=kind))
    return stored(f"charset-{name}", "charsets", answer, title=title, text="The kettle is filled")


_TITLES = (
    *(
        "---",
        "...",
        "--- x",
        "a: b",
        "a : b",
        ": a",
        "a:",
        "- a",
        "? a",
        "! a",
        "!!python/object:os.system x",
    ),
    *("@x", "`x`", "&a", "*a", "%YAML 1.2", "# a", "a # b", "| a", "> a", "[a", "{a: 1}", "]", "}", ",", "~"),
    *("yes", "no", "on", "off", "true", "False", "null", "NULL", ".inf", ".nan", "y", "n", "=", "<<"),
    *("1", "-1", "+1", "1.5", "1e5", "0x1F", "0o17", "017", "1_000", "1:30", "12:30:45", "190:20:30.15"),
    *("2024-01-01", "2024-01-01T10:00:00Z", "2024-01-01 10:00:00 +1", "'a'", '"', "'", "\\", "\\n"),
    *("a\\", '"a', "'a", "a'b\"c", "<b>a</b>", "<script>alert(1)</script>", "{{ x }}", "{% x %}", "${x}"),
    *("$(id)", "`id`", "../../etc/passwd", "C:\\con", "=1+1", "+1+1", "@SUM(1)", "-1+1", "[/]", "[bold]x"),
    *("%s %d %n", "{0}", "a" * 5000, "é" * 300, "☕" * 80, "İ", "ﬁ", "1\u0301"),
)
_TITLES_CHANGED = {
    # in HTML: what the normal form of a title makes of it
    "&quot;a&quot;": "a",
    "&#27;[2J&#27;[31mred": "[2J[31mred",
    "a&#0;b": "a\ufffdb",
    "a&#7;b&#8;c": "abc",
    "a\u202eb": "a\u202eb",
    "  a \n b\t c ": "a b c",
    "a\u00a0b": "a b",
    "a\u0085b": "a b",
    "a\u2028b": "a b",
    "&#xD800;": "\ufffd",
    "a\ufeffb": "ab",
    "\r\nSet-Cookie: x": "Set-Cookie: x",
}


def titles() -> Iterator[Row]:
    """Titles that YAML, a template, a shell, a terminal or a spreadsheet reads as something else: text they stay."""
    pairs = [(escape(title), title) for title in _TITLES] + list(_TITLES_CHANGED.items())
    for number, (html, title) in enumerate(pairs):
        answer = says(reply(page(title=html).encode()))
        yield stored(f"title-{number}", "titles", answer, title=title)
