"""Decisions as lines of JSON, straight from columns where there is nothing to weigh."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.decision import Decision, Segment, encode
from moderation.engine.judged import Judged
from moderation.engine.speech import Said
from moderation.post import PostId
from moderation.signals.classifier import DECIMALS
from moderation.text.lists import ends_of, openings

_encoder = msgspec.json.Encoder()
_UNIT, _HUNDRED = 10**DECIMALS, 100
_Texts = NDArray[np.object_]
# What is written is put together of bytes, each as the character of its number: such texts are joined fastest.
_BYTES = "latin-1"


@dataclass(frozen=True, slots=True)
class Written:
    """Decisions as lines of JSON, in order; `told` and `plain` are those of `Judged`."""

    lines: bytes
    told: Sequence[Decision]
    plain: Mapping[str, int]


def written(judged: Judged) -> Written:
    """Decisions, each as `Decision.to_json` would write it."""
    opened, languages, segments, scores, closed = _line(judged.engine)
    columns: list[str | list[str]] = [opened, _ids(judged.ids), _spoken(judged.said, languages, segments)]
    columns += [*_scores(judged.categories, judged.scores, scores), closed]
    return Written(_joined(columns, judged), judged.told, judged.plain)


def _joined(columns: Sequence[str | list[str]], judged: Judged) -> bytes:
    """What stands behind each other on every line, by column; those that are told stand there as they are."""
    width, posts = len(columns), len(judged)
    pieces = [""] * (width * posts)
    for number, column in enumerate(columns):
        pieces[number::width] = [column] * posts if isinstance(column, str) else column
    rest = [""] * (width - 1)
    for post, decision in zip(judged.at.tolist(), judged.told, strict=True):
        pieces[post * width : (post + 1) * width] = [encode(decision).decode(_BYTES) + "\n", *rest]
    return "".join(pieces).encode(_BYTES)


@lru_cache(maxsize=1 << 4)
def _line(engine: str) -> list[str]:
    """A line without what is a post's own: its id, languages, segments and scores."""
    line = encode(Decision(0, "allowed", 0, (), (), (), {}, (), (), {}, {}, (), engine)).decode(_BYTES) + "\n"
    found = []
    for before, behind in (('{"id":', "0"), ('"languages":', "{}"), ('"segments":', "[]"), ('"scores":{', "")):
        start, _, line = line.partition(f"{before}{behind}")
        found.append(f"{start}{before}")
    return [*found, line]


def _ids(ids: Sequence[PostId]) -> list[str]:
    return list(map(str if set(map(type, ids)) == {int} else _quoted, ids))


def _spoken(said: Said, languages: str, segments: str) -> list[str]:
    """By post: its languages and segments, and what stands before each."""
    texts, alone = np.empty(len(said), object), np.zeros(len(said), np.bool_)
    if not said.has_fields:
        alone[said.single()[0]] = True
    rest = said.at((~alone).nonzero()[0])
    texts[alone] = _alone(said.at(alone.nonzero()[0]), languages, segments)
    told = zip(_languages(rest), _segments(rest), strict=True)
    texts[~alone] = _texts([f"{languages}{shares}{segments}{places}" for shares, places in told])
    found: list[str] = texts.tolist()
    return found


def _alone(said: Said, languages: str, segments: str) -> _Texts:
    """The same of posts that are one segment of one field: many are alike."""
    found, names = said.found, list(map(_name, said.found.names))
    width = int(found.end.max(initial=0)) + 1
    key = (found.language.astype(np.int64) * width + found.start) * width + found.end
    key, same = np.unique(key, return_inverse=True)
    told = zip((key // width**2).tolist(), (key // width % width).tolist(), (key % width).tolist(), strict=True)
    each = [(names[at], start, end) for at, start, end in told]
    return _texts([f"{languages}{{{name}:1.0}}{segments}[[{start},{end},{name}]]" for name, start, end in each])[same]


def _languages(said: Said) -> list[str]:
    names, texts = [f"{_name(name)}:" for name in said.found.names], np.full(len(said), "{}", object)
    post, language, share = said.spoken()
    spelled = zip(language.tolist(), np.rint(share * _HUNDRED).astype(np.int64).tolist(), strict=True)
    each = [f"{names[at]}{_SHARES[place]}" for at, place in spelled]
    starts = openings(post)
    bounds = zip(starts.tolist(), ends_of(starts, len(post)).tolist(), strict=True)
    texts[post[starts]] = _texts([f"{{{','.join(each[start:end])}}}" for start, end in bounds])
    found: list[str] = texts.tolist()
    return found


def _segments(said: Said) -> list[str]:
    segments = said.segments()
    try:
        return _encoder.encode_lines(segments).decode(_BYTES).split("\n")[:-1]
    except UnicodeEncodeError:
        return list(map(_quoted, segments))


def _scores(categories: Sequence[str], table: NDArray[np.float64], before: str) -> list[str | list[str]]:
    """By category two columns: what it is called, and the score; `before` stands before all of them."""
    known = ~np.isnan(table)
    places = np.where(known, np.rint(table * _UNIT), _UNIT + 1).astype(np.int64)
    behind = known.cumsum(axis=1) > 1
    found: list[str | list[str]] = [] if categories else [before]
    for at, name in enumerate(map(_name, categories)):
        first = before if at == 0 else ""
        found.append(
            _texts([first, f"{first}{name}:", f"{first},{name}:"])[known[:, at] * (1 + behind[:, at])].tolist()
        )
        found.append(_SPELLED[places[:, at]].tolist())
    return found


def _texts(texts: Sequence[str]) -> _Texts:
    """Texts to be taken by number."""
    found = np.empty(len(texts), object)
    found[:] = texts
    return found


@lru_cache(maxsize=1 << 10)
def _name(name: str) -> str:
    return _quoted(name)


def _quoted(value: PostId | tuple[Segment, ...]) -> str:
    try:
        return _encoder.encode(value).decode(_BYTES)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))


def _numbers(unit: int) -> list[str]:
    return [msgspec.json.encode(round(place / unit, DECIMALS)).decode() for place in range(unit + 1)]


_SPELLED, _SHARES = _texts([*_numbers(_UNIT), ""]), _numbers(_HUNDRED)
