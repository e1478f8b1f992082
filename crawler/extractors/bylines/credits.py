"""Read a line that says who wrote an article: "By Ada Miller | Updated on May 3, 2024", "作者 Amanda Hu"."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from crawler.extractors.bylines.dates import DATE

# "Mar 27, 2024• Proven solutions"
PROVEN_LINE = re.compile(r"(?:[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4} ?)?[•·|] ?Proven solutions", re.I)
# "Follow @Liza Brown"
FOLLOW_LINE = re.compile(r"Follow @ ?(\S.{0,60})", re.I)

MAX_BIO_CHARACTERS = 400  # what is said of a person is one line
_MAX_CREDIT_CHARACTERS = 200  # what is longer is a paragraph
_MAX_LABEL_CHARACTERS = 40  # more than any by-word has

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

_WORD = r"(?![a-zß-öø-ÿ])[^\W\d_][\w.'’-]{0,30}+"
_PARTICLE = r"(?:de|del|della|di|da|du|des|dos|van|von|der|den|ter|la|le|bin|al|el|zu) "
_NAME = rf"{_WORD}(?: (?:{_PARTICLE}){{0,2}}{_WORD}){{0,4}}"
_AND = r"(?:,? (?:and|und|et|y|e|en|&) |, |、|，| ?(?:和|と) ?)"
NAME = re.compile(_NAME)
"""Matches a person's name, alone: "Liza Brown", "J. R. O'Neill", "Ludwig van Beethoven"."""

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_MAX_NAME_CHARACTERS = 60
_MAX_UNSPACED_CHARACTERS = 10  # of a name in a script that writes no spaces
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
# Of lower-case lines: taking a line's case away first is many times as quick as having re.I do it.
_BY_WORD = re.compile(rf"{_STRONG}|{_WEAK}|{_UPDATER}")
_LABEL = re.compile(_STRONG)
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


Sign = Literal["strong", "weak", "glued", "updater", "name"]
"""What says that a line names the author: which kind of by-word, or nothing but the name."""


class Credit(NamedTuple):
    """An article's author as a line names them."""

    author: str
    """As the line spells it; several are "A and B" or "A, B"."""
    sign: Sign
    dates: tuple[str, ...]
    role: bool
    """True where a role follows the name ("Senior Director of Strategy")."""
    alone: bool
    """True where the line says nothing else."""


def read_credit(line: str) -> Credit | None:
    """Read the credit in a line, whose white space is single; None where it has none."""
    if not 2 < len(line) <= _MAX_CREDIT_CHARACTERS:
        return None
    starts_with_by_word = _BY_WORD.match(line[:_MAX_LABEL_CHARACTERS].lower())
    if not (starts_with_by_word or _has_year(line)):  # most lines, and taking one apart is slow
        return _read_name(line)
    dates, parts = _parts(line)
    credit: Credit | None = None
    alone = True
    for part in parts:
        if _READ_TIME.fullmatch(part):
            continue
        of_part = _read_part(part) if credit is None else None
        alone = alone and of_part is not None
        credit = credit or of_part
    if credit is None:
        return None
    sign = "updater" if credit.sign == "weak" and _UPDATE_NOTE.match(line) else credit.sign
    return credit._replace(sign=sign, dates=dates, alone=alone and credit.alone)


def read_dates(line: str) -> tuple[str, ...]:
    """Return the dates of a line that says nothing but when an article was published or changed; else none."""
    if len(line) > _MAX_CREDIT_CHARACTERS or not _has_year(line):
        return ()
    dates, parts = _parts(line)
    return dates if all(map(_READ_TIME.fullmatch, parts)) else ()


def find_dates(line: str) -> tuple[str, ...]:
    """Return the dates in a line, as they are written."""
    if not _has_year(line):
        return ()
    return tuple(match["date"] for match in _DATE_PHRASE.finditer(line[:_MAX_CREDIT_CHARACTERS]))


def _has_year(line: str) -> bool:
    """Tell whether a line may have a date: looking for one is slow."""
    return "20" in line or "19" in line


def is_byline_line(line: str) -> bool:
    """Tell whether a line is a credit with a by-word, or of a box about the author, and not of the text."""
    if PROVEN_LINE.fullmatch(line) or FOLLOW_LINE.fullmatch(line):
        return True
    credit = read_credit(line)
    return credit is not None and credit.sign != "name"


def is_label(line: str) -> bool:
    """Tell whether a line is a by-word whose name stands on the next: "Written by"."""
    return len(line) < _MAX_LABEL_CHARACTERS and _LABEL.fullmatch(line.lower()) is not None


def is_name(text: str) -> bool:
    """Tell whether a text may be a person's name."""
    return (
        len(text) <= _MAX_NAME_CHARACTERS
        and NAME.fullmatch(text) is not None
        and not _NO_PERSON.match(text)
        and (len(text) <= _MAX_UNSPACED_CHARACTERS or not _UNSPACED.search(text))
    )


def _parts(line: str) -> tuple[tuple[str, ...], list[str]]:
    """Split a line into its dates and the parts beside them."""
    dates = find_dates(line)
    rest = _DATE_PHRASE.sub("|", line) if dates else line
    return dates, [part for piece in _SEPARATORS.split(rest) if (part := piece.strip(_EDGES))]


def _read_name(text: str) -> Credit | None:
    return Credit(text, "name", (), role=False, alone=True) if is_name(text) else None


def _read_part(part: str) -> Credit | None:
    match = _CREDIT.fullmatch(part)
    if match is None:
        return _read_name(part)
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
    sign: Sign = "weak" if match["gap"] else "glued"
    if not match["weak"]:
        sign = "strong" if match["strong"] else "updater"
    return Credit(names, sign, (), role=role is not None, alone=not rest and role is None)
