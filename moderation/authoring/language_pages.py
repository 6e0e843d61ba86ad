"""The languages of a feed, and how far rules serve them, as HTML pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from moderation.authoring.census import Hour, Languages, LanguageShare
from moderation.authoring.coverage import UNDETERMINED, Coverage, parity_columns
from moderation.authoring.figures import counted, percent
from moderation.authoring.pages import Cell, bars, heading, listed, page, paragraph, stacked, table
from moderation.authoring.times import HOUR, seconds_of, written
from moderation.decision import VERDICTS

_SERIES = 8
_SHOWN = 20
_NEXT = 12
_MOST_COLUMNS = 24 * 62


def languages_page(found: Languages) -> str:
    """Shares, mixes, scripts and examples; by hour where it was counted."""
    shares = {one.language: one.share for one in found.languages if one.posts}
    parts = [paragraph(f"{counted(found.posts, 'post')} by main language; und: none could be told."), bars(shares)]
    if found.hours:
        parts += [heading("By hour (UTC)"), _by_hour(found.hours)]
    if found.undated:
        parts.append(paragraph(f"{counted(found.undated, 'post')} without a time in created_at: in no hour.", "warn"))
    columns = [
        Cell("language"),
        *(Cell(name, True) for name in ("posts", "share", "in it", "letters", "sure")),
        Cell("such as"),
    ]
    rows = [
        [
            Cell(one.language),
            Cell(f"{one.posts:,}", True),
            Cell(percent(one.share), True),
            Cell(f"{one.holding:,}", True),
            Cell(percent(one.letters), True),
            _sure(one),
            Cell(one.examples[0] if one.examples else ""),
        ]
        for one in found.languages
    ]
    parts += [heading("Languages"), table(columns, rows, below=True)]
    parts += _varieties(found)
    if found.mixes:
        mixes = [
            [
                Cell(" + ".join(mix.languages)),
                Cell(f"{mix.posts:,}", True),
                Cell(percent(mix.share), True),
                Cell(mix.example),
            ]
            for mix in found.mixes[:_SHOWN]
        ]
        names = [Cell("two in one post"), Cell("posts", True), Cell("share", True), Cell("such as")]
        parts += [heading("Mixed posts"), table(names, mixes, below=True)]
    parts += [heading("Scripts, by letters"), bars(found.scripts)]
    return page("Languages of the feed", parts)


def _sure(one: LanguageShare) -> Cell:
    if one.language == UNDETERMINED:
        return Cell("", True)
    return Cell(f"{one.confidence:.0%}", True, one.confidence < 0.8)


def _varieties(found: Languages) -> list[str]:
    counts = next((one.varieties for one in found.languages if one.language == "zh"), {})
    total = sum(counts.values())
    if not total:
        return []
    return [heading("Chinese, by script and variety"), bars({name: count / total for name, count in counts.items()})]


def _by_hour(hours: Sequence[Hour]) -> str:
    totals = Counter[str]()
    hours = _without_gaps(hours)
    for hour in hours:
        totals.update(hour.languages)
    top = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:_SERIES]]
    series = {name: [hour.languages.get(name, 0) / max(hour.posts, 1) for hour in hours] for name in top}
    if len(totals) > len(top):
        others = [hour.posts - sum(hour.languages.get(name, 0) for name in top) for hour in hours]
        series["others"] = [count / max(hour.posts, 1) for count, hour in zip(others, hours, strict=True)]
    return stacked([hour.hour[5:16].replace("T", " ") for hour in hours], series)


def _without_gaps(hours: Sequence[Hour]) -> Sequence[Hour]:
    """The same with the hours between that have no posts, if they are not too many to be drawn."""
    held = {int(seconds_of(hour.hour) or 0): hour for hour in hours}
    every = range(min(held), max(held) + 1, int(HOUR))
    return [held.get(at) or Hour(written(at), 0, {}) for at in every] if len(every) <= _MOST_COLUMNS else hours


def coverage_page(found: Coverage) -> str:
    """What rules serve, the parity of categories, verdicts side by side, and what to write next."""
    head = f"{counted(found.posts, 'post')}, {found.served:.1%} of them in a language that rules serve."
    parts = [paragraph(head), bars({one.language: one.share for one in found.languages})]
    if found.next:
        parts += [heading("Write next"), listed(_first(found.next))]
    columns = [Cell("language"), *(Cell(name, True) for name in ("posts", "served", "rules", "terms", *VERDICTS))]
    rows = [
        [
            Cell(one.language),
            Cell(f"{one.posts:,}", True),
            Cell(f"{one.served:.0%}", True, one.served < 1),
            Cell(f"{one.rules:,}", True),
            Cell(f"{one.terms:,}", True),
            *(Cell(percent(one.verdicts[verdict]), True) for verdict in VERDICTS),
        ]
        for one in found.languages
    ]
    parts += [
        heading("Languages"),
        table(columns, rows),
        heading("Rules by category and language"),
        _parity(found.parity, parity_columns(found)),
    ]
    for one in found.languages:
        if one.words:
            words = "  ".join(f"{word} ({count:,})" for word, count in one.words)
            parts += [heading(f"Commonest words that no rule reads: {one.language}"), paragraph(words, "")]
    return page("Coverage of the feed's languages", parts)


def _first(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - _NEXT:,} more"] if len(lines) > _NEXT else []
    return [*lines[:_NEXT], *more]


def _parity(parity: Mapping[str, Mapping[str, int]], names: Sequence[str]) -> str:
    rows = [
        [Cell(category), *(Cell(str(counts.get(name, "none")), True, name not in counts) for name in names)]
        for category, counts in parity.items()
    ]
    return table([Cell("category"), *(Cell(name, True) for name in names)], rows)
