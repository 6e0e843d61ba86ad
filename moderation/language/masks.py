"""Addresses, @names and #tags: written in letters, but in no language."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import SYMBOLS, TRIGGER, Glyphs
from moderation.text.lists import constant

Ints = NDArray[np.int64]
Codes = NDArray[np.uint32]
Bools = NDArray[np.bool_]
Spans = tuple[Ints, Ints]

_WINDOW = 16
_WINDOWS = 4
_LONGEST_NAME = 30
_ONE = constant(1, np.int64)
_TRIGGER, _SYMBOL = constant(TRIGGER, np.uint16), constant(SYMBOLS - 1, np.uint16)


_NOT_ASCII = 128


def _ascii(characters: str) -> Bools:
    """Membership by code point, with one entry more, false, which clips all that is not ASCII."""
    table = np.zeros(_NOT_ASCII + 1, np.bool_)
    table[[ord(character) for character in characters]] = True
    return table


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_LETTER = _ascii(_LETTERS)
_WORD = _ascii(_LETTERS + _DIGITS + "_")
_HOST = _ascii(_LETTERS + _DIGITS + ".-_")
_MAILBOX = _ascii(_LETTERS + _DIGITS + ".-_+%")
_ADDRESS = _ascii(_LETTERS + _DIGITS + "-._~:/?#[]@!$&'*+;=%")

# Endings of addresses that people write without `https://`; those that are words of some language are left out.
_DOMAINS = (
    "app", "cc", "cn", "co", "com", "dev", "edu", "gg", "gov", "info", "io", "jp", "kr", "ly", "net", "org", "ru", "tv",
    "uk", "vip", "xyz",
)  # fmt: skip
_LONGEST_DOMAIN = 4
_THREE_BEFORE, _DOMAIN_BEHIND = np.arange(-3, 0), np.arange(1, _LONGEST_DOMAIN + 2)
_CASE = 32
_SLASH = ord("/")


_KEY_BYTES = 8


def _key(codes: Codes) -> NDArray[np.uint64]:
    """ASCII letters (or 0 for none), a row of up to eight, as one number; case does not matter."""
    letters = np.zeros((len(codes), _KEY_BYTES), np.uint8)
    letters[:, : codes.shape[1]] = np.minimum(codes, _NOT_ASCII) | (codes > 0) * np.uint32(_CASE)
    return letters.view("<u8")[:, 0]


def _keys_of(words: Iterable[str]) -> NDArray[np.uint64]:
    """The keys of words, ascending."""
    return np.sort(np.frombuffer(b"".join(word.encode().ljust(_KEY_BYTES, b"\0") for word in words), "<u8"))


_DOMAIN_KEYS = _keys_of(_DOMAINS)
_WWW = _keys_of(["www"])[0]


def mask(codes: Codes, glyphs: Glyphs) -> None:
    """Make the glyphs of addresses, @names and #tags neutral, and those of the characters that start them."""
    found = (glyphs >= _TRIGGER).nonzero()[0]
    if not len(found):
        return
    kind = glyphs[found] & _SYMBOL
    glyphs[found] = 0
    text = _Text(codes, glyphs)
    finders = (text.names, text.tags, text.addresses, text.hosts)
    kinds = np.bincount(kind).tolist()
    spans = [find(found[kind == each]) for each, (find, count) in enumerate(zip(finders, kinds, strict=False)) if count]
    if not any(len(starts) for starts, _ in spans):
        return
    glyphs[_inside(*(np.concatenate(sides) for sides in zip(*spans, strict=True)))] = 0


def _inside(starts: Ints, ends: Ints) -> Ints:
    """All positions inside spans, each once even where spans overlap."""
    order = np.argsort(starts)
    ends = np.maximum.accumulate(ends[order])
    starts = starts[order]
    starts[1:] = np.maximum(starts[1:], ends[:-1])
    lengths = np.maximum(ends - starts, 0)
    return np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())


class _Text(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Looks around positions of a buffer; a look beyond its ends finds the last separator."""

    codes: Codes
    glyphs: Glyphs

    def names(self, at: Ints) -> Spans:
        """@names, and addresses of mailboxes."""
        plain = self._is(_WORD, at + 1)
        ends = np.empty_like(at)
        ends[plain] = self._reach(at[plain] + 1, _HOST, 1)
        ends[~plain] = self._name_end(at[~plain] + 1)
        starts = at.copy()
        mailbox = plain & self._is(_WORD, at - 1)
        starts[mailbox] = self._reach(at[mailbox] - 1, _MAILBOX, -1) + 1
        return starts, ends

    def tags(self, at: Ints) -> Spans:
        """#tags: up to white space or punctuation; where a word precedes, the # closes a tag and opens none."""
        opening = at[~self._in_word(at - 1)]
        return opening, self._name_end(opening + 1)

    def addresses(self, at: Ints) -> Spans:
        """Addresses with a scheme, from its first letter."""
        at = at[self._code(at + 1) == _SLASH]
        at = at[self._code(at + 2) == _SLASH]
        return (self._reach(at - 1, _LETTER, -1) + 1, self._reach(at, _ADDRESS, 1)) if len(at) else (at, at)

    def hosts(self, at: Ints) -> Spans:
        """Addresses without a scheme: they begin with `www.` or have a well-known ending."""
        # Behind every one stands a character, or an edge, and before the first the last edge.
        at = at[_WORD.take(self.codes[at + _ONE], mode="clip")]
        at = at[_WORD.take(self.codes[at - _ONE], mode="clip")]
        if len(at):
            at = at[self._is_www(at) | self._is_domain(at)]
        return (self._reach(at - 1, _HOST, -1) + 1, self._reach(at, _ADDRESS, 1)) if len(at) else (at, at)

    def _is_www(self, at: Ints) -> Bools:
        before = _key(self._code(at[:, None] + _THREE_BEFORE))
        www: Bools = (before == _WWW) & ~self._is(_WORD, at - 4)
        return www

    def _is_domain(self, at: Ints) -> Bools:
        ends = self._code(at[:, None] + _DOMAIN_BEHIND)
        inside = np.logical_and.accumulate(_LETTER.take(ends, mode="clip"), axis=1)
        key = _key(ends * inside)
        found = _DOMAIN_KEYS.take(_DOMAIN_KEYS.searchsorted(key), mode="clip") == key
        behind = at + 1 + np.add.reduce(inside, axis=1)
        known: Bools = found & ~self._is(_WORD, behind)
        return known

    def _name_end(self, at: Ints) -> Ints:
        """Where a name of any script that begins at `at` ends."""
        inside = self._in_word(at[:, None] + np.arange(_LONGEST_NAME))
        ends: Ints = at + np.logical_and.accumulate(inside, axis=1).sum(axis=1)
        return ends

    def _in_word(self, at: Ints) -> Bools:
        at = np.minimum(at, len(self.codes) - 1)
        inside: Bools = (self.glyphs[at] > 0) | _WORD.take(self.codes[at], mode="clip")
        return inside

    def _reach(self, at: Ints, allowed: Bools, step: int) -> Ints:
        """The first position from `at` on, in steps of 1 or -1, whose character is not `allowed`."""
        reached = at.copy()
        going = np.arange(len(at))
        for _ in range(_WINDOWS):
            window = self._is(allowed, reached[going, None] + step * np.arange(_WINDOW))
            length = np.logical_and.accumulate(window, axis=1).sum(axis=1)
            reached[going] += step * length
            going = going[length == _WINDOW]
            if not len(going):
                return reached
        reached[going] = self._far(reached[going], allowed, step)
        return reached

    def _far(self, at: Ints, allowed: Bools, step: int) -> Ints:
        """The same by one look at the whole buffer: linear time however many positions look however far."""
        stops = (~allowed.take(self.codes, mode="clip")).nonzero()[0]
        stops = np.concatenate(([-1], stops))
        return stops[np.searchsorted(stops, at, side="left" if step > 0 else "right") - (step < 0)]

    def _is(self, allowed: Bools, at: Ints) -> Bools:
        found: Bools = allowed.take(self._code(at), mode="clip")
        return found

    def _code(self, at: Ints) -> Codes:
        return self.codes[np.maximum(np.minimum(at, len(self.codes) - 1), -1)]
