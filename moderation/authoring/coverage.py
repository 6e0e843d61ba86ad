"""How far the rules serve each language of a feed, and what to write next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from moderation.authoring.figures import counted, percent
from moderation.decision import VERDICTS, Decision
from moderation.engine.compile import live_packs, matches_any
from moderation.language.common import common_words
from moderation.packs.load import Pack, RuleBook
from moderation.packs.walk import pack_terms
from moderation.post import Post

UNDETERMINED = "und"
ANY = "*"
WORDS = 12
_LEAST_SHARE, _MOST_WITHOUT = 0.005, 5
_WORDS_HELD = 20_000
_LEAST_LETTERS = 3
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# Scripts without spaces between words: runs of characters of one kind, most of which are words in Japanese, and longer
# ones by pairs. Hiragana are left out: they hold endings and particles.
_UNSPACED = re.compile(
    r"[\u30a1-\u30ff]{2,}|[\u3400-\u9fff]{2,}|[\u0e00-\u0eff]{2,}|[\u1000-\u109f]{2,}|[\u1780-\u17ff]{2,}"
)
_NOT_SPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
_LONGEST = 3
# Soft hyphens and joiners stand inside words.
_SILENT = dict.fromkeys((0xAD, 0x200C, 0x200D))
_KATAKANA = frozenset(map(chr, range(0x30A1, 0x3100)))


class LanguageCoverage(msgspec.Struct, frozen=True):
    """One language: its posts, which part of them the rules serve, and what they said; rules and terms that serve it.

    `missing` are categories that have rules in other languages and none in this one, `words` the commonest words of
    posts that no rule serves, but for those that hold a sentence together.
    """

    language: str
    posts: int
    share: float
    served: float
    rules: int
    terms: int
    verdicts: Mapping[str, float]
    missing: tuple[str, ...]
    words: tuple[tuple[str, int], ...]


class Coverage(msgspec.Struct, frozen=True):
    """`parity` counts the rules by category and language; `next` says what to write, the most urgent first."""

    posts: int
    served: float
    languages: tuple[LanguageCoverage, ...]
    parity: Mapping[str, Mapping[str, int]]
    next: tuple[str, ...]


def parity_columns(found: Coverage) -> list[str]:
    """The languages of a parity table: those that have rules, and those without that the feed holds most of."""
    with_rules = sorted({name for counts in found.parity.values() for name in counts})
    without = [one for one in found.languages if found.parity and len(one.missing) == len(found.parity)]
    return with_rules + [one.language for one in without if one.share >= _LEAST_SHARE][:_MOST_WITHOUT]


class CoverageReport:
    """Counts decisions by language. `book` are the rules that they were made by."""

    def __init__(self, book: RuleBook) -> None:
        self._packs = live_packs(book)
        self._routes = book.policy.routes
        self._posts: Counter[str] = Counter()
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._unserved: Counter[str] = Counter()
        self._words: dict[str, Counter[str]] = {}

    def add(self, posts: Sequence[Post], decisions: Sequence[Decision]) -> None:
        """Count posts and what was decided on them."""
        for post, decision in zip(posts, decisions, strict=True):
            language = next(iter(decision.languages), UNDETERMINED)
            self._posts[language] += 1
            self._verdicts[language, decision.verdict] += 1
            if language in decision.uncovered:
                self._unserved[language] += 1
            for name in decision.uncovered:
                self._note(name, _written_in(post, decision, name))

    def _note(self, language: str, texts: Iterable[str]) -> None:
        words = self._words.setdefault(language, Counter())
        usual = common_words(language)
        for text in texts:
            words.update(word for word in _words(text) if word not in usual)
        if len(words) > _WORDS_HELD:
            self._words[language] = Counter(dict(_by_count(words)[: _WORDS_HELD // 2]))

    def result(self) -> Coverage:
        """All that was counted."""
        total = max(self._posts.total(), 1)
        parity = self._parity()
        named = [name for name, _ in _by_count(self._posts)]
        languages = tuple(self._language(name, total, parity) for name in named)
        served = 1 - self._unserved.total() / total
        return Coverage(self._posts.total(), round(served, 4), languages, parity, tuple(_advice(languages, parity)))

    def _language(self, name: str, total: int, parity: Mapping[str, Mapping[str, int]]) -> LanguageCoverage:
        posts = self._posts[name]
        packs = [pack for pack in self._packs if self._serves(pack, name)]
        own = [category for category, counts in parity.items() if counts.get(_base(name))]
        missing = [category for category in parity if category not in own and name != UNDETERMINED]
        return LanguageCoverage(
            name,
            posts,
            round(posts / total, 4),
            round(1 - self._unserved[name] / posts, 4),
            sum(len(pack.rules) for pack in packs),
            sum(len(pack_terms(pack)) for pack in packs),
            {verdict: round(self._verdicts[name, verdict] / posts, 4) for verdict in VERDICTS},
            tuple(missing),
            tuple(_by_count(self._words.get(name, Counter()))[:WORDS]),
        )

    def _serves(self, pack: Pack, language: str) -> bool:
        """By the policy's routes, else by the pack's own languages. Packs for any language serve all."""
        if ANY in pack.file.languages:
            return True
        if not self._routes:
            return _base(language) in pack.file.languages
        globs = [*self._routes.get(language, ()), *self._routes.get(_base(language), ())]
        return matches_any(pack.id, globs)

    def _parity(self) -> dict[str, dict[str, int]]:
        counts: dict[str, Counter[str]] = {}
        for pack in self._packs:
            for rule in pack.rules:
                if ANY not in pack.file.languages:
                    counts.setdefault(rule.category or pack.file.category, Counter()).update(pack.file.languages)
        return {category: dict(sorted(found.items())) for category, found in sorted(counts.items())}


def _base(language: str) -> str:
    return language.partition("-")[0]


def _written_in(post: Post, decision: Decision, language: str) -> Iterable[str]:
    fields = dict(post.fields)
    alone = post.fields[0][0]
    for start, end, name, *field in decision.segments:
        if name == language:
            yield fields[field[0] if field else alone][start:end]


def _words(text: str) -> Iterable[str]:
    folded = text.lower().translate(_SILENT)
    for run in _UNSPACED.findall(folded):
        whole = len(run) <= _LONGEST or run[0] in _KATAKANA
        yield from [run] if whole else (run[at : at + 2] for at in range(len(run) - 1))
    spaced = _NOT_SPACED.sub(" ", folded)
    yield from (word for word in _WORD.findall(spaced) if len(word) >= _LEAST_LETTERS)


def _by_count(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _advice(languages: Sequence[LanguageCoverage], parity: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    """What to write next, by posts: for languages without rules, and for categories that lack a language."""
    source = _richest(parity)
    for one in languages:
        if one.language == UNDETERMINED or not one.missing:
            continue
        posts = f"{counted(one.posts, 'post')} ({percent(one.share)})"
        if len(one.missing) == len(parity):
            start = f"moderation new-pack {one.language} --from {source}"
            yield f"{one.language}: {posts} and no rules of its own. Begin with: {start}"
        else:
            yield f"{one.language}: {posts}; no rules yet for {', '.join(one.missing)}"


def _richest(parity: Mapping[str, Mapping[str, int]]) -> str:
    """The pack that most rules are in: the one to translate first."""
    counts = [(count, f"{language}/{category}") for category, row in parity.items() for language, count in row.items()]
    return min(counts, key=lambda item: (-item[0], item[1]))[1] if counts else "zh/spam"
