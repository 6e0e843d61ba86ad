"""The summary of a run, as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moderation.cli.marks import visible
from moderation.cli.terminal import padding
from moderation.decision import VERDICTS, Verdict
from moderation.dumps.summary import FIRST_REJECTS, NO_LANGUAGE, Summary

LANGUAGES_SHOWN = 12
RULES_SHOWN = 10
STYLES: Mapping[str, str] = {"allowed": "green", "flagged": "yellow", "blocked": "red"}
RULE_STYLES: Mapping[str, str] = {"allow": "green", "flag": "yellow", "block": "red"}
CURES: Mapping[str, str] = {
    "R001": "broken JSON: one object a line (`jq -c .` puts each on a line of its own)",
    "R002": "invalid UTF-8: `iconv -f GB18030 -t UTF-8` mends Chinese text from older systems",
    "R003": "not an object (`jq -c '.[]'` splits a list)",
    "R004": "too long",
    "R005": "not CSV under its header: a field too many or too few, or a quotation mark that nobody closed",
    "P001": "not a post",
    "P002": "no text: name the fields that hold it with --field",
    "P003": "a text field that holds no text",
    "P004": "an id that is neither a text nor a whole number",
}


def show_summary(summary: Summary, seconds: float, console: Console) -> None:
    """Verdicts by language, the rules that held most often, speed and coverage."""
    if summary.decisions:
        console.print(_languages(summary, padding(console)))
        if summary.rules or summary.shadow:
            console.print(_rules(summary))
    console.print(_closing(summary, seconds))
    for note in summary.notes:
        console.print(Text(visible(f"note: {note}"), "yellow"))


def show_rejects(
    summary: Summary, file: str | None, console: Console, keeps: str = "moderation score --rejects"
) -> None:
    """What could not be read: the first few by name where no file holds them all, and counts by code."""
    if not summary.rejects:
        return
    if file is None:
        for reject in summary.first_rejects:
            place = f"{reject.source}:{reject.line}"
            console.print(Text(visible(f"{place}: {reject.code}: {reject.reason}")), soft_wrap=True)
        if summary.rejects.total() > len(summary.first_rejects):
            console.print(f"… and {summary.rejects.total() - FIRST_REJECTS:,} more")
    where = f"they are in {file}" if file else f"{keeps} FILE keeps them"
    total = summary.rejects.total()
    records = "1 record" if total == 1 else f"{total:,} records"
    console.print(Text(visible(f"{records} rejected; {where}"), "bold red"), soft_wrap=True)
    for code, count in sorted(summary.rejects.items()):
        console.print(Text(f"  {count:,} {code} {CURES.get(code, '')}".rstrip()), soft_wrap=True)


def _languages(summary: Summary, spaces: tuple[int, int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False, padding=spaces)
    totals = summary.verdicts()
    table.add_column("language", footer="all", no_wrap=True)
    table.add_column("posts", justify="right", footer=f"{summary.decisions:,}", no_wrap=True)
    for verdict in VERDICTS:
        footer = f"{totals[verdict]:,}"
        table.add_column(verdict, justify="right", footer=footer, style=STYLES[verdict], no_wrap=True)
    table.add_column("")
    unserved = summary.unserved()
    for language, counts in _shortened(summary.languages()):
        note = "no rules serve it" if language in unserved else ""
        name = "none found" if language == NO_LANGUAGE else language
        table.add_row(name, f"{sum(counts.values()):,}", *(f"{counts[verdict]:,}" for verdict in VERDICTS), note)
    return table


def _shortened(languages: Mapping[str, Mapping[Verdict, int]]) -> list[tuple[str, Mapping[Verdict, int]]]:
    rows = list(languages.items())
    if len(rows) <= LANGUAGES_SHOWN:
        return rows
    rest = rows[LANGUAGES_SHOWN - 1 :]
    others = {verdict: sum(counts[verdict] for _, counts in rest) for verdict in VERDICTS}
    return [*rows[: LANGUAGES_SHOWN - 1], (f"{len(rest)} others", others)]


def _rules(summary: Summary) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("rule", overflow="fold")
    table.add_column("says")
    table.add_column("posts", justify="right")
    table.add_column("share", justify="right")
    for (rule, verdict), count in _top(summary.rules.items()):
        table.add_row(rule, Text(verdict, RULE_STYLES[verdict]), f"{count:,}", _share(count, summary.decisions))
    for (rule, verdict), count in _top(summary.shadow.items()):
        table.add_row(rule, f"{verdict} (shadow)", f"{count:,}", _share(count, summary.decisions), style="dim")
    left = sum(max(0, len(counts) - RULES_SHOWN) for counts in (summary.rules, summary.shadow))
    if left:
        table.caption = f"and {left:,} more"
    return table


def _top(counts: object) -> Sequence[tuple[tuple[str, str], int]]:
    return sorted(counts, key=lambda item: (-item[1], item[0]))[:RULES_SHOWN]  # type: ignore[call-overload,no-any-return]


def _closing(summary: Summary, seconds: float) -> Text:
    posts = summary.decisions
    text = Text(f"{posts:,} {'post' if posts == 1 else 'posts'} in {seconds:.1f} s", "bold")
    if posts and seconds > 0:
        text.append(f" · {posts / seconds:,.0f} posts/s", "bold")
    text.append(f" · coverage {_share(summary.coverage() * 1000, 1000)}", "")
    text.append(f" · {summary.limited:,} longer than the limit · {summary.unknown:,} with unknown rules", "")
    return text


def _share(count: float, total: int) -> str:
    return f"{count / total:.1%}"
