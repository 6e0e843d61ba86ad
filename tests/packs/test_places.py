"""Where things stand in a file: values, keys, and what is around what there is not."""

from __future__ import annotations

import pytest

from moderation.packs.source import Document, Location, Place, read_document

TEXT = b"""\
pack: zh/spam
lists:
  words: [one, 'two three']
  empty: {}
rules:
  - id: first
    when: {terms: [a, b]}
  - plain
"""


@pytest.fixture(scope="module")
def document() -> Document:
    return read_document("a.yaml", TEXT)


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (("pack",), (1, 7, 7)),
        (("lists", "words", 1), (3, 16, 11)),
        (("lists", "words", 2), (3, 10, 1)),
        (("lists", "words", "x"), (3, 10, 1)),
        (("lists", "empty", "deep", 3), (4, 10, 1)),
        (("rules", 0, "when", "terms", 0), (7, 20, 1)),
        (("rules", 1, "when", "terms"), (8, 5, 5)),
    ],
)
def test_values(document: Document, location: Location, place: tuple[int, int, int]) -> None:
    found = document.place(location)
    assert (found.line, found.column, found.length) == place


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (("lists",), (2, 1, 5)),
        (("rules", 0, "id"), (6, 5, 2)),
        (("rules", 0, "when", "terms"), (7, 12, 5)),
        # No key of this name: what holds it, and never a key of the same name around it.
        (("rules", 0, "when", "id"), (7, 11, 1)),
        (("rules", 0, "pack", "pack"), (6, 5, 1)),
        (("lists", "words", 1), (3, 16, 11)),
    ],
)
def test_keys(document: Document, location: Location, place: tuple[int, int, int]) -> None:
    found = document.key_place(location)
    assert (found.line, found.column, found.length) == place


def test_the_file_itself(document: Document) -> None:
    assert document.key_place(()) is document.place(())
    assert Document("a.yaml", None, Place(1, 1), ()).place(("pack",)) == Place(1, 1)
