"""`moderation serve` and `moderation keys`: the HTTP service, and who may use it."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from moderation.cli.options import rules_option
from moderation.errors import ModerationError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; elsewhere only with --keys.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any that is free.")
@click.option(
    "--keys", "keys_file", metavar="FILE", help="Keys that `moderation keys` made; without it anybody may ask."
)
@click.option("--public-key", metavar="FILE", help="Judge only by a bundle that the holder of its private key signed.")
@click.option("--judges", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that judge.")
@click.option("--watch", is_flag=True, help="Reload the rules when their files change.")
@click.option("--timeout", type=click.FloatRange(0.01), default=2.0, show_default=True, help="Seconds to judge in.")
@click.option("--max-body", type=click.IntRange(1), default=1 << 20, show_default=True, help="Bytes of a request.")
@click.option("--body-seconds", type=click.FloatRange(0.01), default=10.0, show_default=True, help="Time for a body.")
@click.option(
    "--header-seconds", type=click.FloatRange(0.01), default=10.0, show_default=True, help="Time for headers."
)
@click.option("--max-waiting", type=click.IntRange(1), default=20_000, show_default=True, help="Posts in waiting: 429.")
@click.option("--max-posts", type=click.IntRange(1), default=1000, show_default=True, help="Posts of a request.")
@rules_option
def serve(
    host: str,
    port: int,
    keys_file: str | None,
    public_key: str | None,
    judges: int,
    watch: bool,
    timeout: float,
    max_body: int,
    body_seconds: float,
    header_seconds: float,
    max_waiting: int,
    max_posts: int,
    rules: str | None,
) -> None:
    """Judge posts over HTTP: POST /v1/decide, /v1/explain; GET /v1/engine, /healthz, /readyz, /metrics.

    Rules are compiled in a process of its own; SIGHUP compiles them again, SIGTERM answers what has begun and ends.
    """
    try:
        from moderation.service.keys import Keys, read_keys
        from moderation.service.limits import Limits
        from moderation.service.moderator import Moderator
        from moderation.service.server import run
    except ImportError as error:
        raise ModerationError(f"the service needs {error.name}: pip install 'moderation[service]'") from error
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    keys = Keys(()) if keys_file is None else read_keys(Path(keys_file))
    key = None if public_key is None else _bytes(public_key)
    with Moderator(
        rules, public_key=key, judges=judges, timeout=timeout, waiting=max_waiting, watch=watch
    ) as moderator:
        run(moderator, host, port, keys, Limits(max_body, body_seconds, max_posts, header_seconds))


@click.command()
@click.argument("name")
@click.option("--file", "path", metavar="FILE", required=True, help="The file of keys; made if there is none.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=("decide",),
    show_default=True,
    help="What the key may do: decide, explain, metrics, reload; repeatable.",
)
def keys(name: str, path: str, scopes: tuple[str, ...]) -> None:
    """Make a key for NAME and print it, once: the file holds its hash. An earlier key of the same name ends."""
    from moderation.service.keys import add_key

    click.echo(add_key(Path(path), name, scopes))


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ModerationError(f"cannot read {path}: {error.strerror or error}") from error
