"""`moderation version`."""

from __future__ import annotations

import importlib.util
import platform
from importlib import metadata

import click

from moderation.cli.options import load_engine, rules_option


@click.command()
@rules_option
def version(rules: str | None) -> None:
    """Show the versions of everything that a decision depends on."""
    fingerprint = load_engine(rules).fingerprint
    hyperscan = (
        metadata.version("hyperscan") if importlib.util.find_spec("hyperscan") else "no (the matcher is `regex`)"
    )
    click.echo(f"moderation {metadata.version('moderation')}")
    click.echo(f"python     {platform.python_version()} ({platform.machine()}, {platform.system()})")
    click.echo(f"hyperscan  {hyperscan}")
    click.echo(f"rules      {rules or 'bundled'}")
    click.echo(f"engine     {fingerprint}")
