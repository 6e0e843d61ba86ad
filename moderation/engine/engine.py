"""The engine: everything compiled, immutable, shared by all threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, cached_property
from importlib import metadata
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from moderation.decision import Decision
from moderation.engine.columns import Columns
from moderation.engine.compile import Plan, compile_rules
from moderation.engine.conditions import Condition, attributes_asked
from moderation.engine.coverage import covered_languages
from moderation.engine.find import Finder
from moderation.engine.judged import Judged
from moderation.engine.look import Compiled, Look
from moderation.engine.memory import give_back
from moderation.engine.scores import Scorer
from moderation.engine.written import Written, written
from moderation.language.detect import Detector
from moderation.packs.load import RuleBook, read_rules, read_sources
from moderation.packs.pause import collector_paused
from moderation.post import DECLARED_LANGUAGE, Post, PostLike
from moderation.signals.classifier import Classifier
from moderation.signals.matcher import Kind

if TYPE_CHECKING:
    from moderation.engine.explain import Explanation

T = TypeVar("T")

# Posts, and code points, judged in one go: larger portions fall out of the processor's cache and hold more memory.
BATCH = 8192
PORTION = 1 << 20


@collector_paused(staying=True)
def load(path: Path | str | None = None, *, matcher: Kind = "auto") -> Engine:
    """Read and compile rules: a folder of packs (with or without policy.yaml), one pack file, or the bundled rules.

    `matcher` is "auto", "hyperscan" or "regex"; all give the same answers.
    Raises RulesError with everything that is wrong in any file.
    """
    return Engine(read_rules(path), matcher=matcher)


class Engine:
    """Compiled rules. Judges posts one by one or in batches, with the same result; safe to use from many threads.

    `rulebook` is what it was compiled from, `fingerprint` a SHA-256 over packs, lists, policy, tables and version.
    Pickling it (a spawned worker) carries the rules' sources, and compiles them again on the other side.
    """

    @collector_paused(staying=True)
    def __init__(self, rulebook: RuleBook, *, matcher: Kind = "auto") -> None:
        policy = rulebook.policy
        with ThreadPoolExecutor(1) as aside:
            # Tables are inflated without Python's lock, and there is time while Hyperscan compiles.
            loading = aside.submit(Detector, policy.languages, policy.cjk_english, policy.detection == "close")
            plan = compile_rules(rulebook, matcher)
            detector = loading.result()
        self._matcher = matcher
        # Where each value stands in its file is for those who write rules: a hundred thousand objects less to hold.
        self.rulebook = replace(rulebook, documents={})
        self.fingerprint = fingerprint(rulebook)
        covered = covered_languages(rulebook, detector.names)
        self._compiled = Compiled(
            plan,
            Finder.of(plan),
            detector,
            covered,
            np.array([name not in covered for name in detector.names]),
            self.fingerprint,
            _scorer(rulebook, plan, detector.names),
        )
        give_back()

    def __reduce__(self) -> tuple[Callable[..., Engine], tuple[dict[str, bytes], Kind]]:
        return _rebuild, (dict(self.rulebook.sources), self._matcher)

    def __repr__(self) -> str:
        return f"<Engine: {len(self._compiled.plan.rules)} rules, {self.fingerprint[:19]}…>"

    @cached_property
    def text_fields(self) -> tuple[str, ...]:
        """The keys of a post that are judged as text."""
        return tuple(self.rulebook.policy.fields)

    @property
    def unfiltered_regexes(self) -> tuple[str, ...]:
        """Regexes that no multi-pattern search can narrow down, so that every post is searched for them: slow."""
        views = self._compiled.plan.views
        return tuple(sorted({view.regexes[index] for view in views for index in view.matcher.unfiltered}))

    def decide(self, post: PostLike) -> Decision:
        """Judge one post: a text, a mapping or a Post. Raises PostError where it cannot be read."""
        return Look.at(self._compiled, Columns.of((post,), self.text_fields)).decisions()[0]

    def decide_batch(self, posts: Iterable[PostLike] | Columns) -> list[Decision]:
        """Judge many posts, in order. Raises PostError for the first that cannot be read."""
        return list(self.decide_many(posts))

    def decide_many(self, posts: Iterable[PostLike] | Columns, batch_size: int = BATCH) -> Iterator[Decision]:
        """Judge a stream of posts in batches, in order, in constant memory. The batch size never changes a decision.

        Raises ValueError for a batch size below 1, and while it is iterated PostError for a post that cannot be read.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is at least 1, not {batch_size}")
        return chain.from_iterable(self._portions(posts, batch_size, Look.decisions))

    def judge_batch(self, posts: Iterable[PostLike] | Columns) -> list[Judged]:
        """Judge many posts, in order, in some portions: what `decide_batch` would say, as columns. Raises PostError for
        the first that cannot be read.
        """
        return list(self._portions(posts, BATCH, Look.judged))

    def write_batch(self, posts: Iterable[PostLike] | Columns) -> list[Written]:
        """The same, written down as `Decision.to_json` would, one a line: faster where most are allowed."""
        return list(map(written, self.judge_batch(posts)))

    def outcomes(self, posts: Iterable[PostLike]) -> list[dict[str, bool | None]]:
        """By post: the full ids of rules that hold (True) or are unknown (None), whatever mode or overriding say."""
        return [
            {item.rule.id: item.value for item in outcomes}
            for each in self._portions(posts, BATCH, Look.all_outcomes)
            for outcomes in each
        ]

    def explain(self, post: PostLike, rules: Collection[str] = ()) -> Explanation:
        """Judge one post and tell how: folded text, segments, every rule looked at with its conditions.

        `rules` are full ids of rules to tell of even if nothing in the post concerns them. Raises KeyError for one that
        there is not.
        """
        from moderation.engine.explain import explain

        read = Post.of(post, self.text_fields)
        return explain(read, Look.at(self._compiled, Columns.of((read,), ()), thorough=True), rules)

    @property
    def readings(self) -> tuple[str, ...]:
        """The readings of a text that are searched, at most: views, and what loose readings there are of them."""
        return self._compiled.plan.readings

    @property
    def spellings(self) -> int:
        """How many spellings of terms are looked for in loose readings."""
        return self._compiled.plan.spellings

    @property
    def rules(self) -> tuple[str, ...]:
        """The full ids of all rules, live and in shadow, in order."""
        return tuple(rule.id for rule in self._compiled.plan.rules)

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The paths of all attributes that are looked at: what a post has besides these, its texts and its id changes
        nothing.
        """
        rules = self._compiled.plan.rules
        asked = (each for rule in rules for each in (rule.when, rule.unless) if each)
        return frozenset(DECLARED_LANGUAGE).union(*map(attributes_asked, asked))

    @property
    def asking_classifier(self) -> frozenset[str]:
        """The full ids of the rules that ask the classifier."""
        rules = self._compiled.plan.rules
        return frozenset(rule.id for rule in rules if any(_asks(each) for each in (rule.when, rule.unless) if each))

    def _portions(self, posts: Iterable[PostLike] | Columns, batch_size: int, tell: Callable[[Look], T]) -> Iterator[T]:
        """What there is to tell of each portion. Nothing that judging makes is garbage that waits for the collector."""
        limit = self.rulebook.policy.limits.post_chars
        for columns in self._columns(posts, batch_size):
            for portion in columns.portions(limit, PORTION):
                with collector_paused():
                    told = tell(Look.at(self._compiled, portion))
                yield told

    def _columns(self, posts: Iterable[PostLike] | Columns, batch_size: int) -> Iterator[Columns]:
        if isinstance(posts, Columns):
            yield posts
            return
        stream, fields = iter(posts), self.text_fields
        while batch := list(islice(stream, batch_size)):
            yield Columns.of(batch, fields)


def _scorer(book: RuleBook, plan: Plan, names: Sequence[str]) -> Scorer | None:
    """The policy's model, if any rule asks it: else it costs nothing."""
    asked = any(_asks(condition) for rule in plan.rules for condition in (rule.when, rule.unless) if condition)
    return Scorer.of(Classifier(book.model), names) if book.model is not None and asked else None


def _asks(condition: Condition) -> bool:
    return condition.kind == "classifier" or any(map(_asks, condition.children))


def _rebuild(sources: dict[str, bytes], matcher: Kind) -> Engine:
    return Engine(read_sources(sources), matcher=matcher)


def fingerprint(book: RuleBook) -> str:
    """SHA-256 over the package's version, the tables, and every source by path; equal engines have equal ones."""
    digest = hashlib.sha256()
    version = ("version", metadata.version("moderation").encode())
    for name, content in (version, *_tables(), *sorted(book.sources.items())):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"


@cache
def _tables() -> list[tuple[str, bytes]]:
    package = Path(__file__).parent.parent
    files = sorted(file for part in ("text", "evasion", "language") for file in (package / part / "tables").glob("*.*"))
    return [(file.relative_to(package).as_posix(), file.read_bytes()) for file in files]
