"""Parse calendar dates as people write them, in nine languages."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

# The first letters of a month's name, without accents, tell it in all of these languages.
_MONTHS = {
    prefix: number
    for number, prefixes in enumerate(
        (
            *("jan gen ene", "feb fev", "mar maa mrt mrz", "apr avr abr", "may mai mag mei", "jun juin giu"),
            *("jul juil lug", "aug aou ago", "sep set", "oct okt ott out", "nov", "dec dez dic"),
        ),
        start=1,
    )
    for prefix in prefixes.split()
}
_MONTH = (
    r"(?P<name>(?:jan|gen|ene|feb|f[ée]v|m[aä]r|maa|mr[tz]|apr|avr|abr|ma[iyg]|mei|ju[nil]|giu|lug|aug|ago|ao[uû]"
    r"|sep|set|o[ckt]t|out|nov|d[eé][cz]|dic)[^\W\d_]{0,7})\.?"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|\.|º|ª)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_FORMS = (
    rf"{_MONTH} {_DAY},? {_YEAR}",  # Mar 27, 2024
    rf"{_DAY} ?(?:de |of )?{_MONTH},? ?(?:de )?{_YEAR}",  # 2. Dezember 2020, 30 de diciembre de 2020
    rf"{_YEAR} ?[./-] ?(?P<month>[01]?\d) ?[./-] ?(?P<day>[0-3]?\d)(?!\d)",  # 2020.04.07
    rf"(?P<day>[0-3]?\d)\.(?P<month>[01]?\d)\.{_YEAR}",  # 31.01.2024
    rf"(?P<one>[0-3]?\d) ?[/-] ?(?P<other>[0-3]?\d) ?[/-] ?{_YEAR}",  # 31/01/2024, 01/31/2024
    rf"{_YEAR} ?年 ?(?P<month>[01]?\d) ?月 ?(?P<day>[0-3]?\d) ?日",  # 2024年9月1日
    rf"(?P<month>[01]?\d) ?月 ?(?P<day>[0-3]?\d) ?日,? ?{_YEAR}",  # 7月17日, 2020
)
DATE = "(?:" + "|".join(re.sub(r"\?P<\w+>", "?:", form) for form in _FORMS) + ")"
"""A regular expression without groups for a date in any of these forms, to be compiled with re.I."""

_PARSERS = tuple(re.compile(form, re.I) for form in _FORMS)


def parse_date(text: str) -> date | None:
    """Parse a text that `DATE` matches; None where it is not a day of the calendar, or could be two (03/04/2024).

    >>> parse_date("30 de diciembre de 2020"), parse_date("31.01.2024"), parse_date("03/04/2024")
    (datetime.date(2020, 12, 30), datetime.date(2024, 1, 31), None)
    """
    match = next(filter(None, (parser.fullmatch(text) for parser in _PARSERS)), None)
    if match is None:
        return None
    parts = match.groupdict()
    if "one" in parts:
        month, day = sorted((int(parts["one"]), int(parts["other"])))
        if day <= 12 and day != month:
            return None
    else:
        month, day = int(parts.get("month") or _month(parts.get("name", ""))), int(parts["day"])
    try:
        return date(int(parts["year"]), month, day)
    except ValueError:
        return None


def _month(name: str) -> int:
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return _MONTHS.get(plain[:4]) or _MONTHS.get(plain[:3], 0)
