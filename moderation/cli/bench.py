"""`moderation bench`: what this machine can do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from moderation.cli.options import format_option, rules_option

if TYPE_CHECKING:
    from rich.table import Table

    from moderation.authoring.bench import Result
    from moderation.authoring.bench_classifier import ClassifierBench
    from moderation.authoring.bench_languages import LanguageBench


@click.command()
@click.option("--posts", type=click.IntRange(1), default=100_000, show_default=True, help="How many posts to generate.")
@click.option("--terms", type=click.IntRange(0), default=10_000, show_default=True, help="How many terms to add.")
@rules_option
@click.option("--baseline/--no-baseline", default=True, show_default=True, help="Also time langdetect and regexes.")
@click.option("--seed", type=int, default=0, show_default=True, help="Equal seeds give equal posts and terms.")
@click.option("--languages", is_flag=True, help="Measure language detection alone, beside other libraries.")
@click.option("--classifier", is_flag=True, help="Measure the classifier alone, beside scikit-learn's pipelines.")
@click.option("--model", metavar="FILE", help="With --classifier: the model.  [default: the bundled one]")
@click.option("--service", is_flag=True, help="Measure the hook, HTTP, a Redis stream and reloads.")
@click.option("--reloads", type=click.IntRange(1), default=10, show_default=True, help="With --service: how many.")
@click.option(
    "--judges", type=click.IntRange(1, 64), default=1, show_default=True, help="With --service: processes that judge."
)
@click.option("--dumps", is_flag=True, help="Measure dumps: formats, processes, Spark, the floor, others.")
@click.option("--texts", metavar="FILE", help="With --languages: JSON lines of `text` and `language` to measure on.")
@format_option
def bench(
    posts: int,
    terms: int,
    rules: str | None,
    baseline: bool,
    seed: int,
    languages: bool,
    classifier: bool,
    model: str | None,
    service: bool,
    reloads: int,
    judges: int,
    dumps: bool,
    texts: str | None,
    style: str,
) -> None:
    """Measure speed, memory and start-up on generated posts, on one core.

    The posts are 60 to 100 characters long: 40 % Chinese, 40 % English, 15 % both in one post, 5 % other languages; 3 %
    are harmful. It takes a minute or two.
    """
    if languages:
        _languages(texts, style)
        return
    if classifier:
        _classifier(model, posts, seed, baseline, style)
        return
    if service:
        from moderation.cli.bench_service import bench_service

        bench_service(rules, posts, reloads, judges, seed, style)
        return
    if dumps:
        from moderation.cli.bench_dumps import bench_dumps

        bench_dumps(rules, posts, seed, style)
        return
    from moderation.authoring.bench import bench as measure

    result = measure(posts, terms, rules, seed, baseline)
    if style == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(result)))
        return
    from moderation.cli.terminal import console_on

    console_on(sys.stdout).print(_table(result))


def _languages(texts: str | None, style: str) -> None:
    from pathlib import Path

    from moderation.authoring.bench_languages import bench_languages
    from moderation.cli.terminal import console_on

    found = bench_languages(None if texts is None else Path(texts))
    if style == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    console_on(sys.stdout).print(_language_table(found))


def _classifier(model: str | None, posts: int, seed: int, baseline: bool, style: str) -> None:
    from pathlib import Path

    from moderation.authoring.bench_classifier import bench_classifier
    from moderation.cli.terminal import console_on
    from moderation.packs.load import bundled_rules

    path = Path(model) if model is not None else Path(bundled_rules()) / "models" / "feed.npz"
    found = bench_classifier(path, posts, seed, baseline)
    if style == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    console_on(sys.stdout).print(_classifier_table(found))


def _classifier_table(found: ClassifierBench) -> Table:
    from rich import box
    from rich.table import Table

    title = f"{found.posts:,} posts of {found.characters:.0f} characters, {found.heads} heads"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    table.add_column("measured")
    table.add_column("posts/s", justify="right")
    table.add_column("how")
    for size, rate in found.heads_alone.items():
        table.add_row("heads alone", f"{rate:,.0f}", f"all heads, batches of {size:,}")
    for size, rate in found.with_folding.items():
        table.add_row("folding and heads", f"{rate:,.0f}", f"batches of {size:,}")
    best = max(found.with_folding.values())
    for name, rate in found.pipelines.items():
        table.add_row(name, f"{rate:,.0f}", f"and LogisticRegression, one head: × {best / rate:,.0f}")
    table.add_row("loading", f"{found.load_seconds * 1000:,.0f} ms", "read and verified")
    return table


def _language_table(found: LanguageBench) -> Table:
    from rich import box
    from rich.table import Table

    counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items())
    title = f"{counts} of {found.texts}, {len(found.languages)} languages"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    table.add_column("library")
    for name in (*found.counts, "posts/s", "times"):
        table.add_column(name, justify="right")
    ours = found.scores[0].rate
    for score in found.scores:
        if score.missing:
            table.add_row(f"{score.library} (not installed)")
            continue
        shares = [f"{score.accuracy[kind]:.1%}" for kind in found.counts if kind in score.accuracy]
        mixed = "" if score.mixed is None else f"{score.mixed:.1%}"
        table.add_row(
            f"{score.library} {score.version}", *shares, mixed, f"{score.rate:,.0f}", f"{ours / score.rate:,.0f}"
        )
    return table


def _table(result: Result) -> Table:
    from rich import box
    from rich.table import Table

    machine = result.machine
    title = f"{machine.cpu}, {machine.cores} cores, {machine.system}, Python {machine.python}"
    table = Table("measured", "figure", "how", box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for row in _rows(result):
        table.add_row(*row)
    return table


def _rate(rate: float | None) -> str:
    return "too few posts to tell" if rate is None else f"{rate:,.0f} posts/s"


def _rows(result: Result) -> list[tuple[str, str, str]]:
    whole, fourfold = result.whole, result.whole_fourfold
    scaling = ", ".join(f"{cost:.1f} µs at {count:,}" for count, cost in result.scaling_us.items())
    rows = [
        (
            "in memory",
            f"{result.memory_rate:,.0f} posts/s",
            f"decide_many, {result.posts:,} posts, {result.rules:,} rules",
        ),
        ("", f"{result.plain_rate:,.0f} posts/s", "the same, no tricks of evasion on"),
        ("", f"{result.bare_rate:,.0f} posts/s", "and without the classifier"),
        ("score", _rate(result.score_rate), "JSON lines to JSON lines, start-up not counted"),
        ("", f"{whole.rate:,.0f} posts/s", f"the whole process, start-up counted, {whole.posts:,} posts"),
        ("", f"{fourfold.rate:,.0f} posts/s", f"the same, {fourfold.posts:,} posts"),
        ("memory", f"{whole.peak_mib:,.0f} MiB", f"at most, {whole.posts:,} posts"),
        ("", f"{fourfold.peak_mib:,.0f} MiB", f"at most, {fourfold.posts:,} posts"),
        ("one post", f"{result.single_median_us:,.0f} µs", "median of decide"),
        ("", f"{result.single_p99_us:,.0f} µs", "99th percentile"),
        ("start", f"{result.import_seconds * 1000:,.0f} ms", "import moderation"),
        ("", f"{result.load_seconds * 1000:,.0f} ms", "and load the rules"),
        ("", f"{result.load_more_seconds * 1000:,.0f} ms", f"and load the rules and {result.terms:,} terms"),
        ("more terms", f"× {result.scaling_ratio:.2f}", f"cost of a post: {scaling} added terms"),
        (
            "posts with a hit",
            f"{result.hit_share:.1%}",
            f"{result.generated_hit_share:.1%} of posts hit a generated term",
        ),
    ]
    if result.baseline_rate is not None:
        times = result.memory_rate / result.baseline_rate
        how = "langdetect and a regex a condition, by hand; the engine is this many times faster"
        rows.append(("without it", f"{result.baseline_rate:,.0f} posts/s", f"{how}: × {times:,.0f}"))
    return rows
