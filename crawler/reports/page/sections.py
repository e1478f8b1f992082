"""Compose the sections of a report: what is shown, in which order and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from crawler.clock import minute
from crawler.reports.page.charts import Bars, Columns, Series
from crawler.reports.page.contents import Contents
from crawler.reports.page.figures import Figure, Section
from crawler.reports.page.graph_sections import graph_sections
from crawler.reports.page.html import details, paragraph
from crawler.reports.page.lists import article, column, day, listing
from crawler.reports.page.months import Calendar, calendar
from crawler.reports.page.states import by_state
from crawler.text import counted

_LISTED_LANGUAGES = 12


def sections(contents: Contents) -> list[Section]:
    """Return the sections of a report."""
    suffix = common_suffix([row["host"] for row in contents.hosts.rows])
    name_of = partial(_without, suffix)
    return [
        _growth(contents),
        _changes(contents),
        _changed(contents),
        _revised(contents),
        _hosts(contents, name_of),
        _pages(contents),
        _languages(contents),
        _reasons(contents),
        *graph_sections(contents, name_of),
        _alarms(contents),
    ]


def common_suffix(hosts: Sequence[str]) -> str:
    """Return the labels that all hosts end in, with the dot before them; empty for fewer than two hosts.

    >>> common_suffix(["garden.example.com", "bread.example.com"]), common_suffix(["example.com"])
    ('.example.com', '')
    """
    if len(hosts) < 2:
        return ""
    shared: list[str] = []
    for same in zip(*(host.split(".")[:0:-1] for host in hosts), strict=False):
        if len(set(same)) > 1:
            break
        shared.insert(0, f".{same[0]}")
    return "".join(shared)


def _without(suffix: str, host: str) -> str:
    return host.removesuffix(suffix)


def _growth(contents: Contents) -> Section:
    runs = contents.runs.rows
    new = [row["new"] for row in runs]
    before = [max(0, contents.totals["articles"] - sum(new[index:])) for index in range(len(runs))]
    figure = Figure(
        name="growth",
        caption=f"Articles after each run{_last_of(contents)}",
        chart=_by_run(contents, [Series("archived before", "pale", before), Series("new", "c1", new)]),
        headings=("run", "began (UTC)", "outcome", "pages", "requests", "articles before", "new"),
        rows=[
            (
                row["id"],
                minute(row["started_at"]),
                row["outcome"],
                row["pages"],
                row["requests"],
                old,
                row["new"],
            )
            for row, old in zip(runs, before, strict=True)
        ],
    )
    return Section("growth", "Growth", [figure], half=True)


def _changes(contents: Contents) -> Section:
    runs = contents.runs.rows
    kinds = (("changed", "c2"), ("gone", "c5"), ("failed", "c4"))
    figure = Figure(
        name="changes",
        caption=f"Pages that changed, went or failed in each run{_last_of(contents)}",
        chart=_by_run(
            contents,
            [Series(kind, colour, [row[kind] for row in runs]) for kind, colour in kinds],
        ),
        headings=("run", *(kind for kind, _ in kinds)),
        rows=[(row["id"], *(row[kind] for kind, _ in kinds)) for row in runs],
    )
    return Section("changes", "Changes", [figure], half=True)


def _changed(contents: Contents) -> Section:
    columns = {"article": article, "changed": day("changed_at")}
    changed = listing("Articles that changed in the last run", contents.changed, columns)
    return Section("changed", "Latest changes", [changed], half=True)


def _revised(contents: Contents) -> Section:
    columns = {"article": article, "revisions": column("revisions"), "changed": day("changed_at")}
    revised = listing("Articles by their number of older versions", contents.revised, columns)
    return Section("revised", "Most revised", [revised], half=True)


def _hosts(contents: Contents, name_of: Callable[[str], str]) -> Section:
    if not contents.hosts.rows or not contents.runs.rows:
        return Section("hosts", "Hosts and months", [paragraph("No articles yet.")])
    last = contents.runs.rows[-1]["started_at"][:7]
    found = calendar(contents.months, [row["host"] for row in contents.hosts.rows], last, name_of)
    figure = Figure(
        name="months",
        caption=f"Articles by host and month of publication, {found.by_month[0][0]} to {found.by_month[-1][0]}",
        chart=found.grid,
        headings=("month", "articles"),
        rows=found.by_month,
    )
    columns = {
        "host": column("host"),
        "articles": column("articles"),
        "words": column("words"),
        "first": day("first_date"),
        "last": day("last_date"),
    }
    hosts = details("Hosts", listing("Hosts with articles, largest first", contents.hosts, columns))
    return Section("hosts", "Hosts and months", [figure, *_outside(found), hosts])


def _outside(found: Calendar) -> list[str]:
    """Say how many articles the heat map can't show."""
    counts = (
        (found.earlier, "earlier"),
        (found.later, "dated after the last run"),
        (found.undated, "without a date"),
    )
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    return [paragraph(f"Not in the heat map: {told}.")] if told else []


def _pages(contents: Contents) -> Section:
    figure = by_state("states", "Known pages by state", contents.states)
    return Section("pages", "Pages", [figure], half=True)


def _reasons(contents: Contents) -> Section:
    columns = {"reason": column("reason"), "pages": column("pages"), "for instance": article}
    reasons = listing("Pages that were tried, by reason", contents.reasons, columns)
    return Section("reasons", "Why pages are not archived", [reasons])


def _languages(contents: Contents) -> Section:
    rows = [(lang or "not known", count) for lang, count in contents.languages]
    shown, others = rows[:_LISTED_LANGUAGES], rows[_LISTED_LANGUAGES:]
    if others:
        shown = [*shown, (counted(len(others), "other language"), sum(count for _, count in others))]
    figure = Figure(
        name="languages",
        caption="Articles by the language of their text",
        chart=Bars([lang for lang, _ in shown], ["c1"] * len(shown), [count for _, count in shown]),
        headings=("language", "articles"),
        rows=rows,
    )
    return Section("languages", "Languages", [figure], half=True)


def _alarms(contents: Contents) -> Section:
    columns = {
        "run": column("crawl"),
        "kind": column("kind"),
        "what": column("message"),
        "host": column("host"),
    }
    return Section("alarms", "Alarms", [listing("Alarms, newest first", contents.listed_alarms, columns)])


def _by_run(contents: Contents, series: Sequence[Series]) -> Columns:
    days = [row["started_at"][:10] for row in contents.runs.rows]
    labels = [f"run {row['id']}, {day}" for row, day in zip(contents.runs.rows, days, strict=True)]
    return Columns(labels, days, series)


def _last_of(contents: Contents) -> str:
    shown, total = len(contents.runs.rows), contents.runs.total
    return f": the last {shown:,} of {total:,}" if shown < total else ""
