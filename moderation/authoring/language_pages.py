"""The languages of a feed, and how far rules serve them, as HTML pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from moderation.authoring.census import Hour, Languages
from moderation.authoring.coverage import Coverage
from moderation.authoring.pages import Cell, bars, heading, listed, page, paragraph, stacked, table
from moderation.decision import VERDICTS

_SERIES = 8
_SHOWN = 20


def languages_page(found: Languages) -> str:
    """Shares, mixes, scripts and examples; by hour where it was counted."""
    shares = {one.language: one.share for one in found.languages[:_SHOWN] if one.posts}
    parts = [paragraph(f"{found.posts:,} posts by their main language; und: none could be told."), bars(shares)]
    if found.hours:
        parts += [heading("By hour (UTC)"), _by_hour(found.hours)]
    if found.undated:
        parts.append(paragraph(f"{found.undated:,} posts have no created_at and are in no hour.", "warn"))
    columns = [
        Cell("language"),
        *(Cell(name, True) for name in ("posts", "share", "in it", "letters", "sure")),
        Cell("such as"),
    ]
    rows = [
        [
            Cell(one.language),
            Cell(f"{one.posts:,}", True),
            Cell(f"{one.share:.1%}", True),
            Cell(f"{one.holding:,}", True),
            Cell(f"{one.letters:.1%}", True),
            Cell(f"{one.confidence:.0%}", True, one.confidence < 0.8),
            Cell(one.examples[0] if one.examples else ""),
        ]
        for one in found.languages
    ]
    parts += [heading("Languages"), table(columns, rows)]
    parts += _varieties(found)
    if found.mixes:
        mixes = [
            [
                Cell(" + ".join(mix.languages)),
                Cell(f"{mix.posts:,}", True),
                Cell(f"{mix.share:.1%}", True),
                Cell(mix.example),
            ]
            for mix in found.mixes[:_SHOWN]
        ]
        names = [Cell("two in one post"), Cell("posts", True), Cell("share", True), Cell("such as")]
        parts += [heading("Mixed posts"), table(names, mixes)]
    parts += [heading("Scripts, by letters"), bars(dict(list(found.scripts.items())[:_SHOWN]))]
    return page("Languages of the feed", parts)


def _varieties(found: Languages) -> list[str]:
    counts = next((one.varieties for one in found.languages if one.language == "zh"), {})
    total = sum(counts.values())
    if not total:
        return []
    return [heading("Chinese, by script and variety"), bars({name: count / total for name, count in counts.items()})]


def _by_hour(hours: Sequence[Hour]) -> str:
    totals = Counter[str]()
    for hour in hours:
        totals.update(hour.languages)
    top = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:_SERIES]]
    series = {name: [hour.languages.get(name, 0) / hour.posts for hour in hours] for name in top}
    if len(totals) > len(top):
        series["others"] = [1 - sum(hour.languages.get(name, 0) for name in top) / hour.posts for hour in hours]
    return stacked([hour.hour[5:16].replace("T", " ") for hour in hours], series)


def coverage_page(found: Coverage) -> str:
    """What rules serve, the parity of categories, verdicts side by side, and what to write next."""
    head = f"{found.posts:,} posts, {found.served:.1%} of them in a language that rules serve."
    parts = [paragraph(head), bars({one.language: one.share for one in found.languages[:_SHOWN]})]
    if found.next:
        parts += [heading("Write next"), listed(found.next)]
    columns = [Cell("language"), *(Cell(name, True) for name in ("posts", "served", "rules", "terms", *VERDICTS))]
    rows = [
        [
            Cell(one.language),
            Cell(f"{one.posts:,}", True),
            Cell(f"{one.served:.0%}", True, one.served < 1),
            Cell(f"{one.rules:,}", True),
            Cell(f"{one.terms:,}", True),
            *(Cell(f"{one.verdicts[verdict]:.1%}", True) for verdict in VERDICTS),
        ]
        for one in found.languages
    ]
    parts += [
        heading("Languages"),
        table(columns, rows),
        heading("Rules by category and language"),
        _parity(found.parity),
    ]
    for one in found.languages:
        if one.words:
            words = "  ".join(f"{word} ({count:,})" for word, count in one.words)
            parts += [heading(f"Commonest words that no rule reads: {one.language}"), paragraph(words, "")]
    return page("Coverage of the feed's languages", parts)


def _parity(parity: Mapping[str, Mapping[str, int]]) -> str:
    names = sorted({name for counts in parity.values() for name in counts})
    rows = [
        [Cell(category), *(Cell(str(counts.get(name, "none")), True, name not in counts) for name in names)]
        for category, counts in parity.items()
    ]
    return table([Cell("category"), *(Cell(name, True) for name in names)], rows)
