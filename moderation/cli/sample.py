"""`moderation sample`: posts of a dump that are worth a person's label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from moderation.cli.options import load_engine, rules_option

if TYPE_CHECKING:
    from moderation.decision import Decision
    from moderation.engine.engine import Engine


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--for-labelling", "number", type=click.IntRange(1), required=True, help="How many posts to pick.")
@click.option("-o", "--output", metavar="FILE", help="Where they go, as JSON lines.  [default: stdout]")
@rules_option
def sample(files: tuple[str, ...], number: int, output: str | None, rules: str | None) -> None:
    """Pick the posts of a dump that teach the classifier most, for people to label.

    Posts that the model is unsure of come first, and those that rules see otherwise; languages take turns, and those
    that no head reads come last. Each line has an empty `label`: fill it in, and give the file to `moderation train`.
    """
    import msgspec

    from moderation.dumps.writers import open_sink
    from moderation.learning.sample import pick

    engine = load_engine(rules)
    if not engine.asking_classifier:
        raise click.UsageError("no rule of these asks the classifier, so there are no scores to choose by")
    chosen = pick(_judged(engine, files), number, engine.asking_classifier)
    with open_sink(output) as sink:
        for post in chosen:
            record = {"id": post.id, "text": post.text, "label": "", "language": post.language, "why": post.why}
            line = msgspec.json.encode({**record, "scores": post.scores})
            sink.write(line + b"\n")
    click.echo(f"{len(chosen):,} posts to label", err=True)


def _judged(engine: Engine, files: tuple[str, ...]) -> Iterator[tuple[str, Decision]]:
    """The text of every post that can be read, with its decision; what cannot is counted on standard error."""
    from moderation.dumps.fields import FieldMap
    from moderation.dumps.posts import read_dump
    from moderation.dumps.readers import find_sources

    rejected = 0
    for posts, rejects in read_dump(find_sources(files), FieldMap(tuple(engine.text_fields))):
        rejected += len(rejects)
        texts = ["\n".join(text for _, text in post.fields) for post in posts]
        for text, decision in zip(texts, engine.decide_batch(posts), strict=True):
            if text.encode("utf-8", "ignore").decode() == text:
                yield text, decision
    if rejected:
        click.echo(f"{rejected:,} records could not be read: `moderation score --rejects` tells why", err=True)
