"""`moderation schema`: the formats as JSON Schema, for editors."""

from __future__ import annotations

import click


@click.command()
@click.argument("kind", type=click.Choice(["pack", "policy"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a rule pack or a policy.

    An editor with a YAML language server then completes and checks: put this on a pack's first line:

      # yaml-language-server: $schema=pack.schema.json
    """
    from moderation.packs.jsonschema import dump_schema

    click.echo(dump_schema(kind), nl=False)
