"""`moderation bundle`: rules in one file, signed."""

from __future__ import annotations

import os
from pathlib import Path

import click

from moderation.cli.options import rules_option, seen_from_here
from moderation.errors import ModerationError, RulesError


@click.command()
@click.option("-o", "--output", metavar="FILE", help="The bundle; its name ends with .bundle.")
@click.option("--sign", metavar="FILE", help="The private key (PEM) to sign with.")
@click.option("--new-key", metavar="FILE", help="Make a key: FILE, and FILE.pub for those who check.")
@rules_option
def bundle(output: str | None, sign: str | None, new_key: str | None, rules: str | None) -> None:
    """Check rules and write them as one file with a hash of everything in it, signed if there is a key.

    A service that is given the public key (`moderation serve --public-key`) takes no other rules.
    """
    if output is None and new_key is None:
        raise click.UsageError("give -o FILE, or --new-key FILE: moderation bundle --rules rules -o rules.bundle")
    if output is not None and not output.endswith(".bundle"):
        raise click.UsageError(f"a bundle's name ends with .bundle: -o {output}.bundle")
    if new_key is not None:
        _make_key(Path(new_key))
    if output is not None:
        _write(Path(output), sign, rules)


def _write(path: Path, sign: str | None, rules: str | None) -> None:
    from moderation.service.bundle import write_bundle
    from moderation.service.rules import load_checked

    try:
        engine = load_checked(rules)
    except RulesError as error:
        raise RulesError(seen_from_here(error.diagnostics, rules)) from None
    try:
        private = None if sign is None else Path(sign).read_bytes()
        write_bundle(path, engine.rulebook.sources, engine.fingerprint, private)
    except OSError as error:
        raise ModerationError(f"cannot use {error.filename}: {error.strerror}") from error
    signed = "signed" if sign is not None else "not signed"
    click.echo(f"{path}: {len(engine.rulebook.sources)} files, {signed}, engine {engine.fingerprint}", err=True)


def _make_key(path: Path) -> None:
    from moderation.service.bundle import new_keys

    private, public = new_keys()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(private)
        path.with_name(f"{path.name}.pub").write_bytes(public)
    except FileExistsError:
        raise ModerationError(f"{path} exists: a key is not overwritten; choose another name") from None
    except OSError as error:
        raise ModerationError(f"cannot write {path}: {error.strerror or error}") from error
    click.echo(f"{path}: the private key, keep it; {path}.pub: the public one", err=True)
