"""From a rule book to a plan: conditions as small objects, signals numbered, one matcher a view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from moderation.engine.conditions import (
    All,
    AnyOf,
    Classifier,
    Condition,
    Count,
    Field,
    Language,
    Near,
    Not,
    Period,
    Text,
    as_instant,
)
from moderation.engine.frequency import costs_of
from moderation.engine.needs import on_demand
from moderation.engine.rule import CompiledRule
from moderation.engine.signals import (
    ALL_SCRIPTS,
    Look,
    Signal,
    SignalTable,
    ViewPlan,
    plan_view,
    term_looks,
)
from moderation.evasion.tricks import mask_of
from moderation.packs.load import Pack, RuleBook
from moderation.packs.schema import Condition as ConditionModel
from moderation.packs.schema import PolicyFile, Rule
from moderation.signals.matcher import Kind
from moderation.text.codes import scripts_of

VIEWS = ("folded", "original")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that batches are judged by: immutable, shared by all threads. `demanded`: see `needs.on_demand`.

    `view_of` is the view that each signal looks at, `costs` how often it is expected to fire.
    """

    rules: tuple[CompiledRule, ...]
    signals: tuple[Signal, ...]
    demanded: frozenset[int]
    views: tuple[ViewPlan, ...]
    view_of: tuple[ViewPlan, ...]
    costs: tuple[float, ...]
    policy: PolicyFile
    reads_original: bool

    @property
    def readings(self) -> tuple[str, ...]:
        """The readings of a text that are searched, at most: views, and what loose readings there are of them."""
        loose = [reading for view in self.views if view.loose is not None for reading in view.loose.readings]
        return (*(view.name for view in self.views), *loose)

    @property
    def spellings(self) -> int:
        """How many spellings of terms are looked for in loose readings."""
        return sum(view.loose.spellings for view in self.views if view.loose is not None)


def compile_rules(book: RuleBook, matcher: Kind = "auto") -> Plan:
    """Compile the packs that the policy makes live. The book was validated when it was read: this raises nothing."""
    table = SignalTable()
    compilers = (_PackCompiler(pack, book.policy, table, _scripts(pack, book.policy)) for pack in live_packs(book))
    rules = tuple(compiler.rule(rule) for compiler in compilers for rule in compiler.pack.file.rules)
    signals = table.signals()
    costs = costs_of(signals)
    demanded = on_demand(rules, costs)
    planned = (plan_view(name, signals, demanded, book.policy.limits.regex_ms, matcher) for name in VIEWS)
    views = {view.name: view for view in planned if view is not None}
    view_of = tuple(views[signal.view] for signal in signals)
    return Plan(rules, signals, demanded, tuple(views.values()), view_of, costs, book.policy, "original" in views)


def live_packs(book: RuleBook) -> list[Pack]:
    """The packs that the policy names, in the order of their ids."""
    return [pack for pack in book.packs if matches_any(pack.id, book.policy.packs)]


def matches_any(pack_id: str, globs: Iterable[str]) -> bool:
    """`zh/*` means every pack of zh."""
    return any(fnmatchcase(pack_id, glob) for glob in globs)


@dataclass(frozen=True, slots=True)
class _PackCompiler:
    pack: Pack
    policy: PolicyFile
    table: SignalTable
    scripts: int
    resist: int = 0

    def rule(self, rule: Rule) -> CompiledRule:
        when = self._resisting(rule)._condition(rule.when)
        period = _period(rule)
        return CompiledRule(
            id=f"{self.pack.id}/{rule.id}",
            verdict=rule.verdict,
            live=rule.mode == "live",
            category=rule.category or self.pack.file.category,
            severity=rule.severity,
            message=dict(sorted(rule.reason.items())),
            over=frozenset(rule.over or self.policy.over),
            when=when if period is None else All((when, period)),
            unless=None if rule.unless is None else self._condition(rule.unless),
        )

    def _resisting(self, rule: Rule) -> _PackCompiler:
        """The compiler for what a rule looks for: a rule's own `resist` counts before its pack's and the policy's.

        A rule that allows is not read into a text unless it says so itself.
        """
        general = () if rule.verdict == "allow" else self.pack.file.resist
        chosen = (rule.resist, general, self.policy.resist)
        return replace(self, resist=mask_of(next(names for names in chosen if names is not None)))

    def _condition(self, model: ConditionModel) -> Condition:
        if model.all_ is not None:
            return All(tuple(map(self._condition, model.all_)))
        if model.any_ is not None:
            return AnyOf(tuple(map(self._condition, model.any_)))
        if model.not_ is not None:
            return Not((self._condition(model.not_),))
        if model.near is not None:
            near = model.near
            label = f"near, within {near.within}" + (", ordered" if near.ordered else "")
            return Near(label, tuple(map(self._text, near.of)), near.within, near.ordered)
        if model.count is not None:
            count = model.count
            label = f"count, at least {count.at_least}" + (" distinct" if count.distinct else "")
            return Count(label, (self._text(count.of),), count.at_least, count.distinct)
        if model.field is not None:
            tests = tuple((name, value) for name, value in _tests(model.field) if value is not None)
            label = " ".join(["field", model.field.name, *(f"{test} {value}" for test, value in tests)])
            return Field(label, model.field.name, tests)
        if model.language is not None:
            codes = _many(model.language.is_)
            share = model.language.share or 0.0
            label = f"language {' or '.join(codes)}" + (f" at least {share:.0%}" if share else "")
            return Language(label, codes, share)
        if model.classifier is not None:
            test = model.classifier
            return Classifier(f"classifier {test.category} above {test.above:g}", test.category, test.above)
        return self._text(model)

    def _text(self, model: ConditionModel) -> Text:
        if model.regex is not None:
            look = Look("regex", model.regex, model.regex)
            return Text("regex", f"regex {model.regex}", self._signal(model, (look,)))
        if model.list is not None:
            names = _many(model.list)
            terms = [term for name in names for term in self.pack.lists[name]]
            label = f"list {', '.join(names)} ({_terms(len(terms))})"
            return Text("list", label, self._signal(model, self._looks(terms)))
        terms = list(model.terms or ())
        shown = ", ".join(terms[:4]) + (f" … ({_terms(len(terms))})" if len(terms) > 4 else "")
        return Text("terms", f"terms {shown}", self._signal(model, self._looks(terms)))

    def _signal(self, model: ConditionModel, looks: tuple[Look, ...]) -> int:
        excepted = [*(model.except_ or ()), *self._listed(model.except_list)]
        view = model.view or "folded"
        written = tuple(Look("term", term, term) for term in sorted(set(excepted)))
        exceptions = self._looks(excepted) if view == "folded" else written
        fields = frozenset(model.fields) if model.fields else None
        edges = model.edges or ("none" if model.regex is not None else "script")
        return self.table.add(
            Signal(view, looks, exceptions, edges, fields, self.scripts, self.resist * (model.regex is None))
        )

    def _looks(self, terms: Sequence[str]) -> tuple[Look, ...]:
        return term_looks(tuple(terms), self.pack.fold(terms))

    def _listed(self, names: str | Sequence[str] | None) -> list[str]:
        return [term for name in _many(names or ()) for term in self.pack.lists[name]]


def _scripts(pack: Pack, policy: PolicyFile) -> int:
    """The scripts that a pack is sent: all that its languages are written in, whatever language is detected."""
    served = set(pack.file.languages)
    served.update(code for code, globs in (policy.routes or {}).items() if matches_any(pack.id, globs))
    if "*" in served:
        return ALL_SCRIPTS
    return sum(1 << script for script in {script for code in served for script in scripts_of(code)})


def _tests(model: object) -> list[tuple[str, object]]:
    names = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "eq": "eq", "in": "in_", "exists": "exists"}
    return [(name, getattr(model, python)) for name, python in names.items()]


def _period(rule: Rule) -> Period | None:
    if rule.from_ is None and rule.until is None:
        return None
    ends = (("from", rule.from_), ("until", rule.until))
    label = " ".join(f"{word} {value}" for word, value in ends if value is not None)
    return Period(label, as_instant(rule.from_), as_instant(rule.until))


def _many(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _terms(number: int) -> str:
    return "1 term" if number == 1 else f"{number} terms"
