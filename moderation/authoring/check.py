"""Checking rules as their author would: everything that is wrong in any file, then every example of every rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from moderation.engine.compile import live_packs
from moderation.engine.conditions import as_instant
from moderation.engine.engine import Engine
from moderation.engine.explain import NodeTrace, RuleTrace
from moderation.errors import Diagnostic, PostError, RulesError
from moderation.packs.load import Pack, RuleBook, read_rules
from moderation.packs.schema import Rule
from moderation.packs.source import Document, Location
from moderation.packs.walk import pack_regexes, pack_terms
from moderation.post import Post

_LABEL = 80


@dataclass(frozen=True, slots=True)
class PackCounts:
    """What a pack holds; `live` is whether the policy names it."""

    pack: str
    path: str
    live: bool
    rules: int
    terms: int
    regexes: int
    examples: int


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, sorted by place; the packs, empty where an error kept them from being compiled.

    `unfiltered` are the regexes that every post is searched for, because nothing in them narrows the search; `readings`
    the readings of a post that are searched, and `spellings` how many spellings of terms are looked for in loose ones.
    """

    diagnostics: tuple[Diagnostic, ...]
    packs: tuple[PackCounts, ...] = ()
    files: int | None = None
    unfiltered: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    spellings: int = 0
    fingerprint: str | None = None

    @property
    def ok(self) -> bool:
        """No errors; warnings don't count."""
        return all(item.severity != "error" for item in self.diagnostics)


@dataclass(frozen=True, slots=True)
class _Case:
    """One example: which rule's, where it stands in which file, what it must do, and the post (or why it is none)."""

    rule: str
    document: Document
    at: Location
    kind: str
    post: Post | None
    problem: str = ""


def check(path: Path | str | None = None) -> Report:
    """Read and compile the rules at a path (the bundled ones where there is none) and run all examples."""
    try:
        book = read_rules(path)
    except RulesError as error:
        return Report(error.diagnostics)
    live = {pack.id for pack in live_packs(book)}
    book = _all_live(book)
    engine = Engine(book)
    return Report(
        tuple(sorted((*book.warnings, *run_examples(engine, book)))),
        tuple(_counts(pack, pack.id in live) for pack in book.packs),
        len(book.sources),
        engine.unfiltered_regexes,
        engine.readings,
        engine.spellings,
        engine.fingerprint,
    )


def run_examples(engine: Engine, book: RuleBook) -> Iterator[Diagnostic]:
    """A finding for every example that does not do what it stands under; the engine was compiled from the book."""
    cases = [case for pack in book.packs for case in _cases(book, pack, engine.text_fields)]
    readable = [case for case in cases if case.post is not None]
    outcomes = iter(engine.outcomes(case.post for case in readable if case.post is not None))
    for case in cases:
        if case.post is None:
            yield _report(case, f"it is no post: {case.problem}", "")
            continue
        # A rule that is not among the outcomes does not hold.
        value = next(outcomes).get(case.rule, False)
        if value is not (case.kind == "hit"):
            yield _failure(engine, case, case.post)


def _all_live(book: RuleBook) -> RuleBook:
    """Examples hold rules to their author's word, also those of packs that the policy has not made live yet."""
    return replace(book, policy=book.policy.model_copy(update={"packs": ("*",)}))


def _cases(book: RuleBook, pack: Pack, fields: tuple[str, ...]) -> Iterator[_Case]:
    for number, rule in enumerate(pack.rules):
        for kind in ("hit", "miss"):
            for index, example in enumerate(getattr(rule.examples, kind)):
                at: Location = ("rules", number, "examples", kind, index)
                try:
                    post, problem = _within_period(Post.of(example, fields), rule), ""
                except PostError as error:
                    post, problem = None, error.message
                yield _Case(f"{pack.id}/{rule.id}", book.documents[pack.path], at, kind, post, problem)


def _within_period(post: Post, rule: Rule) -> Post:
    """A post that says nothing of its time is taken to be from the rule's own: an example is about what it says."""
    if (rule.from_ is None and rule.until is None) or "created_at" in post.attributes:
        return post
    return Post(post.id, post.fields, {**post.attributes, "created_at": _instant_within(rule)})


def _instant_within(rule: Rule) -> datetime:
    start, end = as_instant(rule.from_), as_instant(rule.until)
    if start is not None:
        return start
    assert end is not None
    return end - timedelta(microseconds=1)


def _failure(engine: Engine, case: _Case, post: Post) -> Diagnostic:
    traces = engine.explain(post, (case.rule,)).rules
    trace = next(trace for trace in traces if trace.rule == case.rule)
    return _report(case, *(_why_hit(trace) if case.kind == "miss" else _why_not(trace)))


def _why_hit(trace: RuleTrace) -> tuple[str, str]:
    """What was seen of a rule that should not hold, and what may cure it."""
    if trace.value is None:
        return _unknown(trace)
    spans = [span for node in _leaves(trace.when) if node.value for span in node.spans]
    if not spans:
        return f"the rule holds: {_label(trace.when)}", "narrow `when`, or take the example away"
    found = ", ".join(dict.fromkeys(f"`{span.text}`" for span in spans[:4]))
    return f"the rule holds, by {found}", "add an `except` or `unless`, or move the example to `hit`"


def _why_not(trace: RuleTrace) -> tuple[str, str]:
    """What was seen of a rule that should hold, and what may cure it."""
    if trace.value is None:
        return _unknown(trace)
    if trace.when.value and trace.unless is not None:
        return "`unless` takes it back", f"what holds: {_label(_blamed(trace.unless, True))}"
    return "`when` does not hold", f"what fails: {_label(_blamed(trace.when, False))}"


def _unknown(trace: RuleTrace) -> tuple[str, str]:
    parts = (trace.when, trace.unless)
    node = next(_blamed(part, None) for part in parts if part is not None and part.value is None)
    return f"the rule is unknown: {_label(node)}", "write the example as a post that has what the rule asks for"


def _blamed(node: NodeTrace, value: bool | None) -> NodeTrace:
    """The innermost condition that gives a node its value: not within a `not`, which turns true and false around."""
    same = [child for child in node.children if child.value is value]
    turned = node.kind == "not" and value is not None
    none_of_many = node.kind == "any" and value is False and len(same) > 1
    return _blamed(same[0], value) if same and not turned and not none_of_many else node


def _label(node: NodeTrace) -> str:
    return node.label if len(node.label) <= _LABEL else f"{node.label[:_LABEL]}…"


def _leaves(node: NodeTrace) -> Iterator[NodeTrace]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _leaves(child)


def _report(case: _Case, saw: str, hint: str) -> Diagnostic:
    kind = "hit" if case.kind == "hit" else "pass"
    return case.document.report("M080", case.document.place(case.at), hint, kind=kind, saw=saw)


def _counts(pack: Pack, live: bool) -> PackCounts:
    examples = sum(len(rule.examples.hit) + len(rule.examples.miss) for rule in pack.rules)
    return PackCounts(
        pack.id, pack.path, live, len(pack.rules), len(pack_terms(pack)), len(pack_regexes(pack)), examples
    )
