"""An explanation as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from moderation.cli.marks import rows, visible
from moderation.cli.summary_table import RULE_STYLES, STYLES
from moderation.decision import Reason, Span
from moderation.engine.explain import Explanation, NodeTrace, RuleTrace
from moderation.engine.pushes import Push

MARKS: Mapping[bool | None, tuple[str, str]] = {True: ("✓", "green"), False: ("✗", "dim"), None: ("?", "magenta")}
SPANS_SHOWN = 6
LEAST_SCORE = 0.1
_LABEL = 10
_Show = Callable[[str, Text], None]


def show_explanation(explanation: Explanation, console: Console) -> None:
    """The post with marks under what hit, its languages and folded text, the rules as trees, the verdict."""
    folded = _folded(explanation)
    labels = (*(visible(name) for name, _ in explanation.post.fields), *folded)
    label_width = max((_LABEL, *(cell_len(label) + 1 for label in labels)))

    def show(label: str, text: Text) -> None:
        console.print(Text(set_cell_size(label, label_width), "bold") + text, soft_wrap=True)

    _show_fields(explanation, max(20, console.width - label_width), show)
    _show_languages(explanation, show)
    for label, text in folded.items():
        show(label, Text(text))
    _show_scores(explanation, show)
    reasons = {reason.rule: reason for reason in (*explanation.decision.reasons, *explanation.decision.shadow)}
    order = {True: 0, None: 1, False: 2}
    for rule in sorted(explanation.rules, key=lambda rule: order[rule.value]):
        console.print()
        _show_rule(rule, reasons.get(rule.rule), console)
    own = [reason for reason in explanation.decision.reasons if reason.rule.startswith("engine/")]
    for reason in own:
        console.print()
        console.print(_heading("✓", reason.verdict, reason.rule, reason.category, reason.severity), soft_wrap=True)
        _show_message(reason, console)
    console.print()
    _show_verdict(explanation, show)


def _show_fields(explanation: Explanation, width: int, show: _Show) -> None:
    decision = explanation.decision
    for name, text in explanation.post.fields:
        hits = {reason.rule: _ranges(reason, name) for reason in (*decision.reasons, *decision.shadow)}
        hits = {rule: ranges for rule, ranges in hits.items() if ranges}
        for number, row in enumerate(rows(text, list(hits.values()), width)):
            show(visible(name) if number == 0 else "", Text(row.text))
            for rule, marks in zip(hits, row.marks, strict=True):
                if marks:
                    show("", Text(marks, "yellow") + Text(f" {rule}", "dim"))


def _ranges(reason: Reason, field: str) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in reason.spans if span.field == field]


def _show_languages(explanation: Explanation, show: _Show) -> None:
    decision = explanation.decision
    shares = ", ".join(f"{name} {share:.0%}" for name, share in decision.languages.items()) or "none found"
    if decision.uncovered:
        shares += f" (no rules serve {', '.join(decision.uncovered)})"
    show("language", Text(shares))
    texts = dict(explanation.post.fields)
    for start, end, language, *field in decision.segments:
        text = texts[field[0]] if field else explanation.post.fields[0][1]
        where = f"{field[0]} " if field else ""
        piece = (
            Text(f"{language:<3} ", "cyan") + Text(f"{where}[{start}:{end}] ", "dim") + Text(visible(text[start:end]))
        )
        show("", piece)


def _show_scores(explanation: Explanation, show: _Show) -> None:
    """Each score that is more than nothing, with the n-grams that pushed it up and down."""
    for number, trace in enumerate(found for found in explanation.scores if found.score >= LEAST_SCORE):
        show(
            "scores" if number == 0 else "",
            Text(f"{trace.category} {trace.score:.2f}", "cyan") + Text(f" by {trace.head}", "dim"),
        )
        for sign, pushes in (("+", trace.up), ("-", trace.down)):
            if pushes:
                show("", Text(f"  {sign} ") + Text(", ").join(_push(push) for push in pushes))


def _push(push: Push) -> Text:
    by = ", by sound" if push.kind == "sound" else ""
    return Text(visible(push.text), "yellow") + Text(f" {push.weight:+.2f} [{push.start}:{push.end}{by}]", "dim")


def _folded(explanation: Explanation) -> dict[str, str]:
    """What the rules read where it isn't what was written, by label."""
    original = dict(explanation.post.fields)
    return {
        "folded" if len(original) == 1 else f"folded {visible(name)}": visible(folded)
        for name, folded in explanation.folded
        if folded != original[name]
    }


def _show_rule(rule: RuleTrace, reason: Reason | None, console: Console) -> None:
    heading = _heading(MARKS[rule.value][0], rule.verdict, rule.rule, rule.category, rule.severity)
    if rule.mode != "live":
        heading.append(f"  {rule.mode}", "dim")
    elif rule.value and reason is None:
        heading.append("  overridden by an allow rule", "dim")
    console.print(heading, soft_wrap=True)
    if reason is not None:
        _show_message(reason, console)
    for line in _tree(rule.when, 1):
        console.print(line, soft_wrap=True)
    if rule.unless is not None:
        for line in _tree(rule.unless, 1, "unless "):
            console.print(line, soft_wrap=True)


def _heading(mark: str, verdict: str, rule: str, category: str, severity: int) -> Text:
    style = next((style for shown, style in MARKS.values() if shown == mark), "")
    heading = Text(f"{mark} ", style) + Text(rule, "bold") + Text(f"  {verdict}", RULE_STYLES[verdict])
    return heading.append(f"  {category}, severity {severity}", "dim")


def _show_message(reason: Reason, console: Console) -> None:
    for language, message in reason.message.items():
        console.print(Text(f"  {language}: {message}", "italic"), soft_wrap=True)


def _tree(node: NodeTrace, depth: int, word: str = "") -> Iterator[Text]:
    mark, style = MARKS[node.value]
    line = Text("  " * depth) + Text(f"{mark} ", style) + Text(word, "bold") + Text(visible(node.label))
    if not node.children and node.spans:
        line.append("  ").append_text(_spans(node.spans))
    yield line
    for child in node.children:
        yield from _tree(child, depth + 1)


def _spans(spans: tuple[Span, ...]) -> Text:
    found = Text(", ").join(_span(span) for span in spans[:SPANS_SHOWN])
    return found.append(f" … ({len(spans)} hits)" if len(spans) > SPANS_SHOWN else "")


def _span(span: Span) -> Text:
    shown = Text(visible(span.text), "yellow") + Text(f" [{span.start}:{span.end}]", "dim")
    return shown.append(f" by {', '.join(span.via)}" if span.via else "", "dim")


def _show_verdict(explanation: Explanation, show: _Show) -> None:
    decision = explanation.decision
    verdict = Text(decision.verdict, f"bold {STYLES[decision.verdict]}")
    if decision.categories:
        verdict.append(f"  {', '.join(decision.categories)}, severity {decision.severity}", "default")
    looked = f"{len(explanation.rules):,} of {explanation.rules_total:,} rules concern it"
    show("verdict", verdict)
    show("", Text(looked, "dim"))
    read = f"read as {', '.join(explanation.readings)}" if explanation.readings else "no text is looked at"
    spelled = f", for {explanation.spellings:,} spellings in disguise" if explanation.spellings else ""
    show("", Text(read + spelled, "dim"))
