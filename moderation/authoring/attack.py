"""How strong terms are against evasion: how many attacks are seen, and what the same tricks hit by mistake."""

from __future__ import annotations

import gc
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from moderation.authoring import generate
from moderation.decision import Decision, Span
from moderation.engine.compile import compile_rules
from moderation.engine.engine import Engine
from moderation.engine.needs import signals_of
from moderation.errors import ModerationError
from moderation.evasion.attacks import ALWAYS_ON, attacks
from moderation.evasion.literals import is_enough
from moderation.evasion.spellings import spellings
from moderation.evasion.tricks import BIT, NAMES, mask_of
from moderation.packs.lists import LONGEST_TERM
from moderation.packs.load import RuleBook, read_sources
from moderation.packs.schema import PackFile
from moderation.text.folding import fold, fold_all

EVERY = (*ALWAYS_ON, *NAMES)
"""All tricks: those that are always seen through, then those that `resist` names."""

SAMPLE = 500
_SPEED_POSTS = 20_000
_ROUNDS = 3
# What stands around an attack: a term by itself would say nothing of edges and neighbours.
_CARRIERS = {True: ("他说：", "！"), False: ("he said: ", " !")}


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attack on a term by a trick; `span` is where it was seen, None where it was not."""

    trick: str
    text: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Strength:
    """What a term is recognised as. `spellings` are what tricks make of it when it is compiled, by trick."""

    term: str
    resist: tuple[str, ...]
    too_short: bool
    spellings: Mapping[str, tuple[str, ...]]
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class TrickFigures:
    """One trick over many terms: attacks, how many were seen, and how many at exactly their place. `false_hits` are
    ordinary posts that a rule holds for only because of this trick, perhaps with others; None if none were given.
    """

    trick: str
    attacks: int
    seen: int
    exact: int
    false_hits: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All tricks over all terms of some rules. `cost` is what a post costs with all tricks on, over what it costs with
    none, `cost_forced` the same if rules that say `resist: []` did not; `false_posts` are the ordinary posts that any
    trick hits, as (id, rule, text, term, tricks).
    """

    terms: int
    tricks: tuple[TrickFigures, ...]
    ordinary: int
    false_posts: tuple[tuple[str, str, str, str, tuple[str, ...]], ...]
    cost: float
    cost_forced: float


def strength(term: str, resist: Sequence[str] = NAMES, count: int = 3, seed: int = 0) -> Strength:
    """Attack one term that resists some tricks. Raises ModerationError for what can be no term."""
    folded = fold(term)
    if not folded:
        raise ModerationError(f"{term!r} folds to nothing: write what a reader sees")
    if len(folded) > LONGEST_TERM:
        raise ModerationError(f"a term of {len(folded):,} characters is none: {LONGEST_TERM:,} are possible")
    engine = _engine_of([term], resist)
    made: dict[str, list[str]] = {}
    for spelling in spellings(folded, mask_of(resist)):
        for name in (name for name in NAMES if spelling.mask & BIT[name]):
            made.setdefault(name, []).append(spelling.text)
    cases = [(trick, _Case.of(folded, text)) for trick in EVERY for text in attacks(folded, trick, count, seed)]
    spans = _seen(engine, [case for _, case in cases])
    attempts = (Attempt(trick, case.text, span) for (trick, case), span in zip(cases, spans, strict=True))
    by_trick = {name: tuple(texts) for name, texts in made.items()}
    return Strength(term, tuple(resist), not is_enough(folded), by_trick, tuple(attempts))


def figures(
    book: RuleBook, ordinary: Iterable[Mapping[str, object]] = (), seed: int = 0, sample: int = SAMPLE
) -> Figures:
    """Attack the terms that rules look for, and look at ordinary posts with all tricks on. Takes a minute.

    `ordinary` are posts that no rule should hold for, `sample` is how many terms are attacked by each trick.
    """
    terms = _terms(book)
    engine = _engine_of(terms, NAMES)
    plain, all_on = (with_resist(book, names) for names in ((), NAMES))
    posts = list(ordinary)
    false = _false_hits(plain, all_on, posts)
    by_trick = Counter(trick for hits in _grouped(false) for trick in {name for hit in hits for name in hit[4]})
    rows = (_measured(engine, terms, trick, seed, sample, by_trick[trick] if posts else None) for trick in EVERY)
    costs = (_cost(plain, engine, seed) for engine in (with_resist(book, NAMES, willing=True), all_on))
    return Figures(len(terms), tuple(rows), len(posts), false, *costs)


def _measured(
    engine: Engine, terms: Sequence[str], trick: str, seed: int, sample: int, false_hits: int | None
) -> TrickFigures:
    """Attacks by one trick on a sample of the terms that it can change."""
    source = random.Random(f"{seed} {trick}")
    cases: list[_Case] = []
    for term in source.sample(terms, len(terms)):
        if trick in ALWAYS_ON or is_enough(term):
            cases += (_Case.of(term, text) for text in attacks(term, trick, 1, seed))
        if len(cases) >= sample:
            break
    spans = _seen(engine, cases)
    exact = sum(span is not None and _is_exact(trick, case, span) for case, span in zip(cases, spans, strict=True))
    return TrickFigures(trick, len(cases), sum(span is not None for span in spans), exact, false_hits)


@dataclass(frozen=True, slots=True)
class _Case:
    """An attack between what stands around it."""

    before: str
    text: str
    after: str

    @classmethod
    def of(cls, term: str, text: str) -> _Case:
        """In Chinese if the term is."""
        before, after = _CARRIERS[any("\u2e80" <= character <= "\u9fff" for character in term)]
        return cls(before, text, after)


def _is_exact(trick: str, case: _Case, span: Span) -> bool:
    """Whether a span is all of an attack, and nothing else; what turns text around stands outside of it."""
    first, outside = len(case.before), 1 if trick == "bidi" else 0
    return (span.start, span.end) == (first + outside, first + len(case.text) - outside)


def _seen(engine: Engine, cases: Sequence[_Case]) -> list[Span | None]:
    """For each attack the longest span that touches it."""
    posts = [f"{case.before}{case.text}{case.after}" for case in cases]
    return [_longest(decision, case) for case, decision in zip(cases, engine.decide_many(posts), strict=True)]


def _longest(decision: Decision, case: _Case) -> Span | None:
    first, last = len(case.before), len(case.before) + len(case.text)
    spans = [span for reason in decision.reasons for span in reason.spans if span.end > first and span.start < last]
    return max(spans, key=lambda span: (span.end - span.start, -span.start), default=None)


def _terms(book: RuleBook) -> list[str]:
    """What rules look for, folded, exceptions and what an allow rule looks for left out."""
    plan = compile_rules(book)
    used = {number for rule in plan.rules if rule.verdict != "allow" for number in signals_of((rule.when,))}
    looks = (look for number in used for look in plan.signals[number].looks)
    return sorted(set(fold_all([look.spelled for look in looks if look.kind == "term"])))


def _engine_of(terms: Sequence[str], resist: Sequence[str]) -> Engine:
    """An engine of one rule that flags any of the terms."""
    rule = {
        "id": "terms",
        "verdict": "flag",
        "severity": 50,
        "when": {"terms": list(terms)},
        "examples": {"hit": [terms[0]], "miss": ["-"]},
        "reason": {"en": "A term", "zh": "词"},
    }
    pack = {
        "pack": "attack/terms",
        "version": "1",
        "about": "-",
        "languages": ["*"],
        "category": "attack",
        "rules": [rule],
    }
    policy = {"policy": "attack", "packs": ["*"], "uncovered": "allow", "resist": list(resist)}
    # JSON is YAML, and quotes what YAML would read as something else.
    sources = {"attack/terms.yaml": pack, "policy.yaml": policy}
    return Engine(
        read_sources({path: json.dumps(found, ensure_ascii=False).encode() for path, found in sources.items()})
    )


def with_resist(book: RuleBook, names: Sequence[str], willing: bool = False) -> Engine:
    """An engine of the rules with these tricks on for all of them, whatever they say themselves; with `willing`, for
    all but those that say `resist: []`.
    """
    packs = tuple(replace(pack, file=_without_resist(pack.file, willing)) for pack in book.packs)
    return Engine(replace(book, packs=packs, policy=book.policy.model_copy(update={"resist": tuple(names)})))


def _without_resist(file: PackFile, willing: bool) -> PackFile:
    def left(resist: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return resist if willing and resist == () else None

    rules = tuple(rule.model_copy(update={"resist": left(rule.resist)}) for rule in file.rules)
    return file.model_copy(update={"resist": left(file.resist), "rules": rules})


def _false_hits(
    plain: Engine, all_on: Engine, posts: Sequence[Mapping[str, object]]
) -> tuple[tuple[str, str, str, str, tuple[str, ...]], ...]:
    """Hits by which a rule holds for an ordinary post that does not hold without tricks."""
    found = []
    for number, (before, after) in enumerate(zip(plain.decide_many(posts), all_on.decide_many(posts), strict=True), 1):
        known = {reason.rule for reason in before.reasons}
        for reason in after.reasons:
            if reason.rule not in known:
                hits = [(span.text, span.term, tuple(n for n in span.via if n in BIT)) for span in reason.spans]
                found += [(str(after.id or number), reason.rule, *hit) for hit in hits if hit[2]]
    return tuple(found)


def _grouped(
    hits: Sequence[tuple[str, str, str, str, tuple[str, ...]]],
) -> list[list[tuple[str, str, str, str, tuple[str, ...]]]]:
    """Hits by post."""
    by_post: dict[str, list[tuple[str, str, str, str, tuple[str, ...]]]] = {}
    for hit in hits:
        by_post.setdefault(hit[0], []).append(hit)
    return list(by_post.values())


def _cost(plain: Engine, all_on: Engine, seed: int) -> float:
    """What a post costs with all tricks on, over what it costs with none: the best of several rounds in turn."""
    feed = list(generate.posts(_SPEED_POSTS, seed))
    best = {id(engine): float("inf") for engine in (plain, all_on)}
    gc.freeze()
    for _ in range(_ROUNDS):
        for engine in (plain, all_on):
            start = time.perf_counter()
            for _decision in engine.decide_many(feed):
                pass
            best[id(engine)] = min(best[id(engine)], time.perf_counter() - start)
    gc.unfreeze()
    return best[id(all_on)] / best[id(plain)]
