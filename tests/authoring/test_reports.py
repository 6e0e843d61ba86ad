"""The languages of a feed, how far rules serve them, their pages, and packs scaffolded in another language."""

from __future__ import annotations

import html.parser
import random
import re
from pathlib import Path

import pytest

from moderation.authoring.bench_languages import SIXTEEN, bench_languages
from moderation.authoring.census import Census, Languages
from moderation.authoring.coverage import Coverage, CoverageReport, parity_columns
from moderation.authoring.language_pages import coverage_page, languages_page
from moderation.authoring.pages import Cell, bars, page, table
from moderation.authoring.scaffold import scaffold
from moderation.engine.engine import Engine, load
from moderation.errors import ModerationError, RulesError
from moderation.language.detect import Detector
from moderation.packs.load import read_sources
from moderation.post import Post

POSTS = [
    ("今天的天气真好，我们去公园", "2026-11-01T08:10:00Z"),
    ("今天的天氣真好，我們去公園", "2026-11-01T08:20:00Z"),
    ("good morning everybody, first day here", "2026-11-01T09:00:00Z"),
    ("今天的 party 真的很 amazing 你们来吗", "2026-11-01T09:30:00Z"),
    ("Guten Morgen zusammen, ich bin ganz neu hier <script>alert(1)</script>", 1793523600),
    ("Ich weiß nicht, was ich heute kochen soll", 1793523600000),
    ("😂😂😂", None),
]


def posts() -> list[Post]:
    return [Post(number, (("text", text),), {"created_at": at}) for number, (text, at) in enumerate(POSTS)]


def census(batch: int = 100) -> Languages:
    counted = Census(Detector(), by_hour=True)
    found = posts()
    for start in range(0, len(found), batch):
        counted.add(found[start : start + batch])
    return counted.result()


def test_languages_are_counted() -> None:
    found = census()
    assert found.posts == 7 and found.undated == 1
    assert [(one.language, one.posts, one.holding) for one in found.languages] == [
        ("zh", 3, 3), ("de", 2, 2), ("en", 1, 2), ("und", 1, 1),
    ]  # fmt: skip
    assert {"zh-Hans", "zh-Hant"} <= found.languages[0].varieties.keys()
    assert found.languages[1].examples[0].startswith("Guten Morgen")
    assert [(mix.languages, mix.posts) for mix in found.mixes] == [(("en", "zh"), 1)]
    assert [(hour.hour, dict(hour.languages)) for hour in found.hours] == [
        ("2026-11-01T08:00:00Z", {"zh": 2}),
        ("2026-11-01T09:00:00Z", {"de": 2, "en": 1, "zh": 1}),
    ]
    assert sum(found.scripts.values()) == pytest.approx(1, abs=0.001)
    assert sum(one.letters for one in found.languages) == pytest.approx(1, abs=0.001)


def test_examples_are_in_one_language_where_there_are_any_and_differ() -> None:
    mixed, plain = "今天的 party 真的很 amazing 你们来吗", "今天的天气真好，我们去公园"
    counted = Census(Detector())
    counted.add([Post(number, (("text", text),), {}) for number, text in enumerate([mixed, mixed, plain, plain])])
    assert counted.result().languages[0].examples == (plain, mixed)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_counting_does_not_depend_on_batches(batch: int) -> None:
    assert census(batch) == census()


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load()


@pytest.fixture(scope="module")
def covered(engine: Engine) -> Coverage:
    report = CoverageReport(engine.rulebook)
    report.add(posts(), engine.decide_batch(posts()))
    return report.result()


def test_coverage_says_what_is_not_served_and_what_to_write(covered: Coverage) -> None:
    german = next(one for one in covered.languages if one.language == "de")
    chinese = next(one for one in covered.languages if one.language == "zh")
    assert (german.posts, german.served, chinese.served) == (2, 0.0, 1.0)
    assert german.rules < chinese.rules and german.terms < chinese.terms
    assert set(german.missing) == set(covered.parity) and chinese.missing == ()
    assert "morgen" in dict(german.words) and chinese.words == ()
    assert covered.served == pytest.approx(5 / 7, abs=0.001)
    assert not {"ich", "nicht", "was"} & dict(german.words).keys()
    assert parity_columns(covered) == ["en", "zh", "de"]
    assert covered.next[0].startswith("de: 2 posts (28.6%)") and "moderation new-pack de --from" in covered.next[0]


def test_a_category_that_lacks_a_language_is_named() -> None:
    rule = (
        "rules: [{id: a, verdict: flag, severity: 1, when: {terms: [%s]}, examples: {hit: [%s], miss: [x]},"
        " reason: {en: a, zh: b}}]"
    )
    head = "pack: {0}\nversion: 1\nabout: a\nlanguages: [{1}]\ncategory: {2}\n"
    sources = {
        f"{name}.yaml": (head.format(name, language, category) + rule % (term, term)).encode()
        for name, language, category, term in [
            ("zh/spam", "zh", "spam", "加微信"),
            ("zh/hate", "zh", "hate", "滚出去"),
            ("en/spam", "en", "spam", "add me"),
        ]
    }  # fmt: skip
    engine = Engine(read_sources(sources))
    report = CoverageReport(engine.rulebook)
    english = [Post(1, (("text", "good morning everybody, first day here"),), {})]
    report.add(english, engine.decide_batch(english))
    found = report.result()
    assert found.parity == {"hate": {"zh": 1}, "spam": {"en": 1, "zh": 1}}
    assert found.languages[0].missing == ("hate",)
    assert found.next == ("en: 1 post (100.0%); no rules yet for hate",)


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_pages_stand_alone_and_escape(covered: Coverage) -> None:
    for text in (languages_page(census()), coverage_page(covered)):
        tags = _Tags()
        tags.feed(text)
        assert "script" not in tags.seen and tags.addresses == []
        assert "default-src 'none'" in text and 'name="viewport"' in text
    assert "&lt;script&gt;alert(1)" in languages_page(census())
    hostile = page("<b>", [table([Cell('"><img src=x>')], [[Cell("\ud800\0<i>")]])])
    assert "<img" not in hostile and "<i>" not in hostile
    hostile.encode()


def test_small_shares_are_one_bar() -> None:
    shown = bars({"zh": 0.9987, "en": 0.0005, "fr": 0.0005, "de": 0.0003})
    assert shown.count("<i ") == 2 and "3 others" in shown and "0.1%" in shown
    assert ">&lt;0.1%<" in bars({"zh": 0.9998, "en": 0.0002})


def test_hours_without_posts_are_gaps_in_the_plot() -> None:
    counted = Census(Detector(), by_hour=True)
    for at in ("2026-11-01T08:00:00Z", "2026-11-01T11:00:00Z"):
        counted.add([Post(1, (("text", POSTS[0][0]),), {"created_at": at})])
    plot = languages_page(counted.result())
    assert 'viewBox="0 0 4 1"' in plot and plot.count("<rect ") == 2


def test_an_empty_feed_has_pages_too(engine: Engine) -> None:
    assert languages_page(Census(Detector()).result()).startswith("<!doctype html>")
    assert coverage_page(CoverageReport(engine.rulebook).result()).startswith("<!doctype html>")


@pytest.mark.parametrize("source", ["zh/spam", "en/scam", "zh/hate", "any/contact", "zh/minors"])
def test_a_scaffold_has_the_same_rules_and_lacks_only_words(engine: Engine, source: str) -> None:
    text = scaffold(engine.rulebook, "tr", source)
    name = source.partition("/")[2]
    pack = next(pack for pack in engine.rulebook.packs if pack.id == source)
    assert f"pack: tr/{name}\n" in text and "languages: [tr]\n" in text
    assert [rule.id for rule in pack.rules] == [
        line.removeprefix("  - id: ") for line in text.splitlines() if line.startswith("  - id: ")
    ]
    with pytest.raises(RulesError) as error:
        read_sources({f"tr/{name}.yaml": text.encode()})
    # M017: a hundred things that are lacking are told at most.
    assert {item.code for item in error.value.diagnostics} <= {"M017", "M024", "M044"}


def test_a_scaffold_that_is_filled_in_loads(engine: Engine) -> None:
    text = scaffold(engine.rulebook, "tr", "zh/spam")
    filled = text.replace("hit: []", "hit: [kelime]").replace("miss: []", "miss: [başka]")
    filled = re.sub(r"(?<!resist): \[\]", ": [kelime]", filled)
    book = read_sources({"tr/spam.yaml": filled.encode()})
    assert [pack.id for pack in book.packs] == ["tr/spam"]
    original = next(pack for pack in engine.rulebook.packs if pack.id == "zh/spam")
    mine = {rule.id: (rule.verdict, rule.severity, rule.category) for rule in book.packs[0].rules}
    assert mine == {rule.id: (rule.verdict, rule.severity, rule.category) for rule in original.rules}


@pytest.mark.parametrize(
    ("language", "source", "told"),
    [
        ("english", "zh/spam", "did you mean en"),
        ("zh", "zh/spam", "in 'zh' already"),
        ("fr", "zh/nothing", "there is no pack 'zh/nothing'"),
    ],
)
def test_scaffolds_that_cannot_be(engine: Engine, language: str, source: str, told: str) -> None:
    with pytest.raises(ModerationError, match=told):
        scaffold(engine.rulebook, language, source)


def test_the_benchmark_measures_us_and_names_who_is_missing(tmp_path: Path) -> None:
    lines = [
        '{"text": "今天的天气真好，我们去公园", "language": "zh"}',
        '{"text": "good morning everybody here", "language": "en"}',
    ]
    texts = tmp_path / "texts.jsonl"
    random.Random(0).shuffle(lines)
    texts.write_text("\n".join(lines), "utf-8")
    found = bench_languages(texts, ("en", "zh"))
    assert found.counts == {"sentences": 2, "pairs": 1, "words": 2, "mixed": 1}
    assert [score.library for score in found.scores][:2] == ["moderation", "langdetect"]
    assert found.scores[0].accuracy["sentences"] == 1.0 and found.scores[0].mixed == 1.0
    assert all(score.missing or score.rate > 0 for score in found.scores)
    texts.write_text("{}", "utf-8")
    with pytest.raises(ModerationError, match=r"texts.jsonl:1: "):
        bench_languages(texts)
    assert len(SIXTEEN) == 16
