"""Read a line that says who wrote an article: "By Ada Miller | Updated on May 3, 2024", "作者 Amanda Hu"."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from crawler.extractors.bylines.dates import DATE

# "Mar 27, 2024• Proven solutions"
PROVEN_LINE = re.compile(r"(?:[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4} ?)?[•·|] ?Proven solutions", re.I)
# "Follow @Liza Brown"
FOLLOW_LINE = re.compile(r"Follow @ ?(\S.{0,60})", re.I)

LONGEST_BIO = 400  # characters; what is said of a person is one line
LONGEST_CREDIT = 200  # characters; what is longer is a paragraph

# Say by themselves that a name follows.
_STRONG = "|".join(
    (
        r"(?:written|posted|published|submitted|authored|(?:an? )?(?:article|post|story|review|text|words)) by",
        r"authors? ?[:：]",
        r"(?:geschrieben|verfasst|veröffentlicht|(?:ein )?(?:artikel|beitrag|text)) von|autor(?:in)? ?[:：]",
        r"(?:écrit|rédigé|publié|posté|(?:un )?article|texte) par|auteure?s? ?[:：]",
        r"(?:scritto|pubblicato|articolo|postato) da|a cura di|autor[ei] ?[:：]",
        r"(?:escrito|publicado|redactado|redigido|postado|artículo|artigo|texto) por|autora? ?[:：]",
        r"(?:geschreven|gepubliceerd|geplaatst|artikel|tekst) door",
        r"(?:作者|著者|筆者|執筆者?|投稿者|作成者|ライター|撰文|撰稿人?|编写|文)(?= ?[:：/／|｜]| )[ :：/／|｜]*",
    )
)
# Say it only beside a date, a picture or a role: sentences begin with these as well.
_WEAK = r"by|von|par|d[ai]|por|door"
# Says it only below an author's picture: who changed a text need not have written it.
_UPDATER = (
    r"updated by|aktualisiert von|mis à jour par|aggiornato da|actualizado por|atualizado por|bijgewerkt door"
)

_WORD = r"(?![a-zß-öø-ÿ])[^\W\d_][\w.'’-]{0,30}"
_PARTICLE = r"(?:de|del|della|di|da|du|des|dos|van|von|der|den|ter|la|le|bin|al|el|zu) "
_NAME = rf"{_WORD}(?: (?:{_PARTICLE}){{0,2}}{_WORD}){{0,4}}"
_AND = r"(?:,? (?:and|und|et|y|e|en|&) |, |、|，| ?(?:和|と) ?)"
NAME = re.compile(_NAME)
"""Matches a person's name, alone: "Liza Brown", "J. R. O'Neill", "Ludwig van Beethoven"."""

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_LONGEST_NAME = 60
_LONGEST_UNSPACED = 10  # characters of a name in a script that writes no spaces
_NO_PERSON = re.compile(
    r"(?:press|release|news|blog|updated?|article|guide|review|story|feature|special|report|edition|version|the|free"
    r"|download|menu|home|overview|summary|content|introduction|author|editor|admin)\b",
    re.I,
)
_ROLE = re.compile(
    r"\b(?:director|officer|editor|writer|author|manager|engineer|analyst|reporter|president|founder|head|lead|chief"
    r"|evangelist|specialist|expert|consultant|contributor|journalist|blogger|correspondent|columnist|strategist"
    r"|researcher|professor|developer|C[ETFIM]O|redakteur(?:in)?|rédact(?:eur|rice)|redatt(?:ore|rice)"
    r"|redactora?|redatora?|redacteur)\b",
    re.I,
)
_TOPIC = re.compile(r" ?(?:to|in|on|under) ?\S.{0,60}")
_CREDIT = re.compile(
    rf"(?:(?P<strong>(?i:{_STRONG}))|(?P<weak>(?i:{_WEAK}))|(?P<updater>(?i:{_UPDATER})))"
    rf"(?P<gap> ?[:：]? ?)(?P<names>{_NAME}(?:{_AND}{_NAME}){{0,5}})(?P<rest>.*)"
)
_BY_WORD = re.compile(rf"{_STRONG}|{_WEAK}|{_UPDATER}", re.I)
_LABEL = re.compile(rf"(?i:{_STRONG})")
_SEPARATORS = re.compile(r"[|｜•·]| [/／] ")
_EDGES = " ,;/／–—-"
_UPDATE_NOTE = re.compile(r"updates? ?[:：]", re.I)

_LEAD = "|".join(
    (
        r"(?:last |first |originally )?(?:updated?|modified|published|posted|created)(?: on| at)?|on",
        r"(?:zuletzt )?(?:aktualisiert|geändert|veröffentlicht)(?: am)?|letzte aktualisierung|stand|am|vom",
        r"(?:mis à jour|publié|posté|modifié)(?: le)?|dernière mise à jour|le",
        r"(?:l[’'])?ultim[oa] (?:aggiornamento|modifica)|(?:aggiornato|pubblicato)(?: il)?|il",
        r"(?:actualizado|publicado|atualizado)(?: el| em)?|[uú]ltima (?:actualización|atualização)|el|em",
        r"(?:laatst )?(?:bijgewerkt|gepubliceerd)(?: op)?|op",
        r"(?:最近|最后|最後|最終)?更新日?(?:时间|時間|于|於)?|(?:公開|投稿|発表)日|发布(?:时间|于)?|發佈(?:時間|於)?",
    )
)
_TIME = r",?(?: (?:at|um|à|a las|às|alle))? ?\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]\.?m\.?)?(?: ?\(?[A-Z]{2,4}\)?)?"
_DATE_PHRASE = re.compile(
    rf"(?:(?<!\w)(?:{_LEAD})[ :：–-]{{0,3}})?(?<![\d/.])(?P<date>{DATE})(?![\d/])(?:{_TIME})?", re.I
)
_READ_TIME = re.compile(
    r"\d{1,3} ?-? ?(?:min[a-z]{0,5}\.?(?:[ -](?:de |di )?(?:read|lesezeit|leestijd|lecture|lettura|lectura|leitura))?"
    r"|分(?:钟|鐘)?(?:阅读|閱讀|で読め(?:る|ます))?)",
    re.I,
)


class Credit(NamedTuple):
    """What a line says of an article's author."""

    author: str
    """As the line has it; several are "A and B" or "A, B"."""
    sign: Literal["strong", "weak", "glued", "updater", "name"]
    """What says that this is the author: which kind of by-word, or nothing but the name."""
    dates: tuple[str, ...]
    role: bool
    """Whether a role follows the name ("Senior Director of Strategy")."""
    alone: bool
    """Whether the line says nothing but this."""


def read_credit(line: str) -> Credit | None:
    """Read a line, its white space single; None where it is no credit."""
    if not 2 < len(line) <= LONGEST_CREDIT:
        return None
    if not _has_year(line) and not _BY_WORD.match(
        line
    ):  # most lines are neither, and taking one apart is slow
        return Credit(line, "name", (), role=False, alone=True) if is_name(line) else None
    dates, parts = _parts(line)
    credit: Credit | None = None
    alone = True
    for part in parts:
        if _READ_TIME.fullmatch(part):
            continue
        read = _read_part(part) if credit is None else None
        alone = alone and read is not None
        credit = credit or read
    if credit is None:
        return None
    sign = "updater" if credit.sign == "weak" and _UPDATE_NOTE.match(line) else credit.sign
    return credit._replace(sign=sign, dates=dates, alone=alone and credit.alone)


def read_dates(line: str) -> tuple[str, ...]:
    """The dates of a line that says nothing but when an article was published or changed; else none."""
    if len(line) > LONGEST_CREDIT or not _has_year(line):
        return ()
    dates, parts = _parts(line)
    return dates if all(map(_READ_TIME.fullmatch, parts)) else ()


def find_dates(line: str) -> tuple[str, ...]:
    """The dates in a line, as they are written."""
    if not _has_year(line):
        return ()
    return tuple(match["date"] for match in _DATE_PHRASE.finditer(line[:LONGEST_CREDIT]))


def _has_year(line: str) -> bool:
    """Whether looking for a date, which is slow, may find one."""
    return "20" in line or "19" in line


def is_of_byline(line: str) -> bool:
    """Whether a line is a credit with a by-word, or of a box about the author: no line of a text."""
    if PROVEN_LINE.fullmatch(line) or FOLLOW_LINE.fullmatch(line):
        return True
    credit = read_credit(line)
    return credit is not None and credit.sign != "name"


def is_label(line: str) -> bool:
    """Whether a line is a by-word whose name stands on the next: "Written by"."""
    return len(line) < 40 and _LABEL.fullmatch(line) is not None


def is_name(text: str) -> bool:
    """Whether a text may be a person's name."""
    return (
        len(text) <= _LONGEST_NAME
        and NAME.fullmatch(text) is not None
        and not _NO_PERSON.match(text)
        and (len(text) <= _LONGEST_UNSPACED or not _UNSPACED.search(text))
    )


def _parts(line: str) -> tuple[tuple[str, ...], list[str]]:
    """The dates of a line, and what is between its separators beside them."""
    dates = find_dates(line)
    rest = _DATE_PHRASE.sub("|", line) if dates else line
    return dates, [part for piece in _SEPARATORS.split(rest) if (part := piece.strip(_EDGES))]


def _read_part(part: str) -> Credit | None:
    match = _CREDIT.fullmatch(part)
    if match is None:
        return Credit(part, "name", (), role=False, alone=True) if is_name(part) else None
    names, rest = match["names"], match["rest"]
    people = names.split(", ")
    role = next((at for at, person in enumerate(people[1:], 1) if _ROLE.search(person)), None)
    if role is not None:
        names, rest = ", ".join(people[:role]), ""
    elif rest and not _TOPIC.fullmatch(rest):
        if not (rest.startswith((", ", " – ", " — ", " - ")) and _ROLE.search(rest)):
            return None
        role, rest = len(people), ""
    if not all(map(is_name, re.split(_AND, names))):
        return None
    sign: Literal["strong", "weak", "glued", "updater"] = (
        "strong"
        if match["strong"]
        else "updater"
        if match["updater"]
        else "weak"
        if match["gap"]
        else "glued"
    )
    return Credit(names, sign, (), role=role is not None, alone=not rest and role is None)
