"""Posts as JSON, judged without being read by who hands them on: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from moderation.decision import Decision, encode
from moderation.engine.engine import Engine
from moderation.engine.written import Written
from moderation.errors import PostError
from moderation.post import Post
from moderation.service.frames import JudgedJson, JudgeJson, Said, Unread
from moderation.service.judging import decided
from moderation.service.tally import Tally

NO_JSON, NO_POSTS = "P005", "P007"


class Body(msgspec.Struct, frozen=True):
    """A post, or many of them where `listed`; `posts` is how many."""

    json: bytes
    posts: int = 1
    id: str | None = None


class _Read(msgspec.Struct):
    posts: list[Any]
    listed: bool = False
    id: str | None = None


class _Counted(msgspec.Struct):
    posts: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_counted = msgspec.json.Decoder(_Counted)
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_plain = msgspec.json.Decoder()
_decision = msgspec.json.Decoder(Decision)
_decisions = msgspec.json.Decoder(dict[str, list[Decision]])


def count(json: bytes) -> int:
    """How many posts a body seems to hold, by a look that builds nothing. What is no JSON counts as one."""
    try:
        found = _counted.decode(json).posts
        return 1 if found is msgspec.UNSET else max(len(_elements.decode(found)), 1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 1


def judge(engine: Engine, request: JudgeJson, judged: Callable[[], None] = lambda: None) -> JudgedJson:
    """Judge all posts of all bodies as one batch, and say for each body what is to be answered."""
    ids = request.ids or [None] * len(request.bodies)
    read = [_read(body, request.many, identity) for body, identity in zip(request.bodies, ids, strict=True)]
    try:
        written = engine.write_batch(_all(read))
    except Exception:
        read = [_checked(each, engine.text_fields) for each in read]
        posts = [Post.of(post, engine.text_fields) for post in _all(read)]
        written = [_written(decided(engine, posts))]
    judged()
    lines = (line for portion in written for line in portion.lines.splitlines())
    answers = [each if isinstance(each, Unread) else _said(each, lines) for each in read]
    told, plain = [each for portion in written for each in portion.told], [portion.plain for portion in written]
    return JudgedJson(answers, Tally.of(told, plain), engine.fingerprint)


def _written(decisions: Sequence[Decision]) -> Written:
    return Written(b"\n".join(map(encode, decisions)), decisions, {})


def answered(body: Body, many: bool, decide: Callable[[Any], Decision]) -> Said | Unread:
    """What is to be answered where no engine judges: `decide` says what of each post."""
    read = _read(body.json, many, body.id)
    if isinstance(read, Unread):
        return read
    return _said(read, iter([encode(decide(post)) for post in read.posts]))


def read_back(
    body: Body, answer: bytes, text_fields: Sequence[str], many: bool
) -> tuple[Sequence[Post], Sequence[Decision]]:
    """The posts of a body that was judged, and their decisions."""
    read = _read(body.json, many, body.id)
    assert isinstance(read, _Read)
    decisions = _decisions.decode(answer)["decisions"] if read.listed else [_decision.decode(answer)]
    return [Post.of(post, text_fields) for post in read.posts], decisions


def _all(read: Iterable[_Read | Unread]) -> list[Any]:
    return [post for each in read if isinstance(each, _Read) for post in each.posts]


def _read(body: bytes, many: bool, identity: str | None) -> _Read | Unread:
    try:
        value = _plain.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unread(NO_JSON, f"no JSON: {error}")
    if not many:
        return _Read([_with_id(value, identity)], id=identity)
    if type(value) is not dict:
        return Unread(NO_POSTS, 'send one object: a post, or {"posts": [...]}')
    if "posts" not in value or len(value) > 1:
        return _Read([value])
    posts = value["posts"]
    if type(posts) is not list or not set(map(type, posts)) <= {dict, str}:
        return Unread(NO_POSTS, "`posts` is a list of posts: objects, or texts")
    return _Read(posts, True)


def _with_id(value: Any, identity: str | None) -> Any:
    if identity is None or type(value) is not dict or value.get("id") is not None:
        return value
    return {**value, "id": identity}


def _checked(read: _Read | Unread, text_fields: Sequence[str]) -> _Read | Unread:
    if isinstance(read, _Read):
        try:
            for post in read.posts:
                Post.of(post, text_fields)
        except PostError as error:
            return Unread(error.code, error.message)
    return read


def _said(read: _Read, lines: Iterator[bytes]) -> Said:
    """The decisions on a body's posts, taken from those of all."""
    if read.listed:
        return Said(b'{"decisions":[' + b",".join(islice(lines, len(read.posts))) + b"]}")
    (post,) = read.posts
    return Said(next(lines), post.get("id") if isinstance(post, dict) else None)
