"""A pattern for Hyperscan that hits wherever a regex does, and perhaps elsewhere.

Hyperscan only has to rule rows out, so a prefilter may match too much but never too little. It is built from what
means the same everywhere: code point ranges, sequence, alternation, repetition and the start of the text. What a regex
asserts without consuming (`$`, `\\b`, lookaround) is left out, a back reference stands for any text, wide classes lose
their small gaps, long repeats their upper bound. Syntax that is not known here to be safe gives no prefilter at all.

One kind of miss is allowed because it is announced: where a class is ASCII but for digits of other scripts or odd
case variants (the Kelvin sign is a k), only ASCII is kept, which is several times faster, and `Prefilter.blind` names
what was dropped. A row that holds code points of such a kind, see `rare()`, is left to the regex itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_lowercase
from typing import Final

import regex

from moderation.signals.codepoints import Ranges, case_variants, code_points

_MOST_RANGES: Final = 12  # of one class beyond ASCII: compile time grows with them
_FEW: Final = 64  # characters of a class that is rare
_DIGITS: Final = 10
# What feeds are full of: letters and digits of ASCII, what every sentence has, Chinese, Japanese, Korean.
_COMMON: Final = (
    *((ord(each), ord(each)) for each in " \n.,!?，。"),
    *((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A), (0x3040, 0xD7FF)),
)
_MOST_STATES: Final = 16  # of one repeat, for the same reason
_FEW_WAYS: Final = 4  # to begin a pattern
_FLAGS: Final = regex.VERSION0 | regex.UNICODE | regex.IGNORECASE | regex.DOTALL | regex.MULTILINE
_LETTERS: Final = {"i": regex.IGNORECASE, "s": regex.DOTALL, "m": regex.MULTILINE}
_ANY: Final = r"[\x{0}-\x{10ffff}]"

_TOKEN: Final = regex.compile(
    r"""
    (?P<comment> \(\?\# [^)\\]* \) )
  | (?P<look>    \(\? <? [=!] )
  | (?P<scope>   \(\? (?P<on>[ism]*) (?: - (?P<off>[ism]+) )? : )
  | (?P<open>    \( (?: \? (?: > | \| | P?< [A-Za-z_]\w* > ) )? (?! [?*] ) )
  | (?P<repeat>  (?: [*+?] | \{ (?P<low>[0-9]*) (?P<comma>,)? (?P<high>[0-9]*) \} ) [?+]? )
  | (?P<start>   \^ | \\A )
  | (?P<zero>    \$ | \\[bBGKmMZz] )
  | (?P<back>    \\[1-9](?!\d) | \\g<\w+> | \(\?P=\w+\) )
  | (?P<some>    \\[XR] )
  | (?P<set>     \[ (?: \^(?!\]) | (?![\^\]]) ) (?: \[:\^?(?:POSIX):\] | \\. | [^\[\]\\] )+ \] )
  | (?P<class>   \. | \\[dDwWsSh] | \\[pP] (?: \{[^{}]+\} | [CLMNPSZ] ) | \\N\{[^{}]+\}
               | \\x[0-9a-fA-F]{2} | \\u[0-9a-fA-F]{4} | \\U[0-9a-fA-F]{8} | \\[afnrtv] )
  | (?P<char>    \\ (?P<escaped>[^A-Za-z0-9]) | [^\\{\[(] )
    """.replace("POSIX", "alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit"),
    regex.VERSION0 | regex.VERBOSE | regex.DOTALL,
)
_GLOBAL: Final = regex.compile(r"(?:\(\?[ismu]+\))+", regex.VERSION0)


class _Unsafe(Exception):
    """Syntax whose meaning is not known here."""


@dataclass(frozen=True, slots=True)
class Prefilter:
    """`expression` is for Hyperscan with `HS_FLAG_UTF8`; it does not see the kinds of code points in `blind`.

    Every match of the regex holds a character out of `held`, which is not one that every sentence holds; empty where
    that can't be told.
    """

    expression: str
    blind: frozenset[str]
    held: Ranges = ()


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    states: int  # roughly; 0 where nothing is consumed
    wide: bool = False  # a class that holds letters: it stands everywhere, and to start with it is slow
    rare: bool = False  # few characters, none of them a letter, a digit or what every sentence has
    ways: tuple[str, ...] = ()  # the branches of a group, if there are several
    held: Ranges = ()  # of one character, which stands there at least once: what it may be, if that is no letter


def prefilter_of(pattern: regex.Pattern[str], anchors: bool = True) -> Prefilter | None:
    """What rules rows out for a pattern, or None where only the regex itself can tell.

    `anchors=False` leaves out the start of the text too, which Hyperscan refuses in the middle of a pattern.
    """
    if pattern.flags & ~_FLAGS:
        return None
    try:
        return _Parser(pattern, anchors).parse()
    except _Unsafe:
        return None


class _Parser:
    def __init__(self, pattern: regex.Pattern[str], anchors: bool) -> None:
        self._source = pattern.pattern
        self._flags = pattern.flags
        self._anchors = anchors
        self._blind: set[str] = set()
        self._held: list[Ranges] = []
        leading = _GLOBAL.match(self._source)
        self._at = leading.end() if leading else 0

    def parse(self) -> Prefilter:
        piece = self._alternatives(top=True)
        if self._at < len(self._source):
            raise _Unsafe
        return Prefilter(piece.text, frozenset(self._blind), self._held[0] if len(self._held) == 1 else ())

    def _alternatives(self, top: bool = False) -> _Piece:
        branches = [self._sequence(top)]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence(top))
        ways = tuple(each.text for each in branches)
        return _Piece("|".join(ways), sum(each.states for each in branches), ways=ways if len(ways) > 1 else ())

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _sequence(self, top: bool) -> _Piece:
        pieces: list[_Piece] = []
        while self._peek() not in ("", "|", ")"):
            token = _TOKEN.match(self._source, self._at)
            if token is None:
                raise _Unsafe
            self._at = token.end()
            if token.lastgroup == "repeat":
                pieces.append(_repeated(pieces.pop() if pieces else _NOTHING, token))
            elif token.lastgroup != "comment":
                pieces.append(self._piece(token, first=top and not any(each.text for each in pieces), top=top))
        if top:
            self._held.append(next((each.held for each in pieces if each.held), ()))
            return _Piece(_by_beginnings([each for each in _from_the_rare(pieces) if each.text]), 0)
        return _Piece("".join(each.text for each in pieces), sum(each.states for each in pieces))

    def _piece(self, token: regex.Match[str], first: bool, top: bool) -> _Piece:
        kind = token.lastgroup or ""
        if kind == "look":
            return self._look(token[0], first, top)
        if kind in ("open", "scope"):
            return self._group(token)
        if kind == "start":
            keep = self._anchors and (token[0] == r"\A" or not self._flags & regex.MULTILINE)
            return _START if keep else _NOTHING
        if kind in _FIXED:
            return _FIXED[kind]
        return self._chars(token, kind)

    def _look(self, opening: str, first: bool, top: bool) -> _Piece:
        """A lookbehind that starts a pattern, or a lookahead that ends it, is text that stands there: kept."""
        inside = self._closed()
        if self._peek() in tuple("*+?{"):
            raise _Unsafe
        last = top and self._peek() in ("", "|")
        return inside if (opening == "(?<=" and first) or (opening == "(?=" and last) else _NOTHING

    def _group(self, token: regex.Match[str]) -> _Piece:
        flags = self._flags
        self._flags |= sum(_LETTERS[letter] for letter in set(token["on"] or ""))
        self._flags &= ~sum(_LETTERS[letter] for letter in set(token["off"] or ""))
        piece = self._closed()
        self._flags = flags
        return piece

    def _closed(self) -> _Piece:
        inside = self._alternatives()
        if self._peek() != ")":
            raise _Unsafe
        self._at += 1
        return _Piece(f"(?:{inside.text})", inside.states, ways=inside.ways)

    def _chars(self, token: regex.Match[str], kind: str) -> _Piece:
        char = token["escaped"] or token[0]
        if kind != "char":
            ranges = code_points(token[0], self._flags)
        else:
            ranges = case_variants(char) if self._flags & regex.IGNORECASE else ((ord(char), ord(char)),)
        piece, blind = _class_of(ranges)
        self._blind |= blind
        return piece


# Rows are scanned by the dozen, a separator behind each.
_START: Final = _Piece(r"(?:^|\x{0})", 0)
_NOTHING: Final = _Piece("", 0)
_FIXED: Final = {"zero": _NOTHING, "back": _Piece(f"{_ANY}*", 2), "some": _Piece(f"{_ANY}+", 2)}


@lru_cache(maxsize=1)
def rare() -> dict[str, Ranges]:
    """The kinds of code points that a prefilter may be blind to."""
    letters = {each for letter in ascii_lowercase for each in case_variants(letter)}
    return {
        "digits": tuple(each for each in code_points(r"\d", regex.VERSION0) if each[0] >= 0x80),
        "letters": tuple(sorted(each for each in letters if each[0] >= 0x80)),
    }


def set_of(ranges: Iterable[tuple[int, int]]) -> str:
    """The ranges as a set of Hyperscan's syntax."""
    return "[" + "".join(_code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in ranges) + "]"


def _code(code: int) -> str:
    char = chr(code)
    return char if char.isascii() and char.isalnum() else f"\\x{{{code:x}}}"


@lru_cache(maxsize=1 << 12)
def _class_of(ranges: Ranges) -> tuple[_Piece, frozenset[str]]:
    """The code points as a set, and the rare kinds that it leaves out: the same few stand in all regexes."""
    kept, blind = _narrowed(ranges)
    return _class(kept), blind


def _narrowed(ranges: Ranges) -> tuple[Ranges, frozenset[str]]:
    """Only the ASCII part of a class, where all the rest is rare."""
    plain = tuple(each for each in ranges if each[1] < 0x80)
    wide = set(ranges) - set(plain)
    blind = frozenset(kind for kind, members in rare().items() if not wide.isdisjoint(members))
    if not plain or wide - {each for members in rare().values() for each in members}:
        return ranges, frozenset()
    return plain, blind


def _class(ranges: Ranges) -> _Piece:
    """The code points as a set; one that no text can hold is left to the regex."""
    if not ranges or ranges[0][0] in range(0xD800, 0xE000):
        raise _Unsafe
    size = sum(high - low + 1 for low, high in ranges)
    letters = any(_overlaps(ranges, low, high) for low, high in _COMMON)
    plain = [(low, min(high, 0x7F)) for low, high in ranges if low < 0x80]
    wide = _bridged([(max(low, 0x80), high) for low, high in ranges if high >= 0x80])
    first, last = (plain + wide)[0][0], (plain + wide)[-1][1]
    text = _code(first) if first == last else set_of(plain + wide)
    rare = not letters and size <= _FEW
    return _Piece(text, 1 + len(wide), letters and size > _DIGITS, rare, held=() if letters else ranges)


def _overlaps(ranges: Ranges, low: int, high: int) -> bool:
    return any(first <= high and last >= low for first, last in ranges)


def _from_the_rare(pieces: list[_Piece]) -> list[_Piece]:
    """Without the classes that stand before something rare: `[a-z0-9._-]{1,64}@` is looked for at its `@`."""
    for position, piece in enumerate(pieces):
        if piece.rare:
            return pieces[position:]
        if piece.states and not piece.wide:
            break
    return pieces


def _by_beginnings(pieces: list[_Piece]) -> str:
    """The pieces in sequence. What begins in a few ways is as many alternatives: Hyperscan then looks for the literals
    of each, and takes half the time for all of a pack's regexes where one is `(?:\\+|加|➕) ?(?:v|微)`.
    """
    beginnings = pieces[0].ways if pieces and 1 < len(pieces[0].ways) <= _FEW_WAYS else ("",)
    rest = "".join(each.text for each in pieces[len(beginnings) > 1 :])
    return "|".join(beginning + rest for beginning in beginnings)


def _bridged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Few enough ranges: the smallest gaps between them are filled."""
    gaps = sorted(range(1, len(ranges)), key=lambda i: ranges[i][0] - ranges[i - 1][1], reverse=True)
    cuts = sorted(gaps[: _MOST_RANGES - 1])
    starts, ends = [0, *cuts], [*(cut - 1 for cut in cuts), len(ranges) - 1]
    return [(ranges[first][0], ranges[last][1]) for first, last in zip(starts, ends, strict=True)] if ranges else []


def _repeated(piece: _Piece, token: regex.Match[str]) -> _Piece:
    """The piece so many times; a repeat that would need too many states loses its upper bound, then copies."""
    if not piece.states:
        raise _Unsafe
    low, high = _bounds(token)
    most = max(1, _MOST_STATES // piece.states)
    if high is None or high > most:
        low, high = min(low, most), None
    if high == 0:
        return _NOTHING
    copies = high or max(low, 1)
    text = f"(?:{piece.text}){{{low},{high or ''}}}"
    return _Piece(text, piece.states * copies, piece.wide, piece.rare and low > 0, held=piece.held if low > 0 else ())


def _bounds(token: regex.Match[str]) -> tuple[int, int | None]:
    mark = token[0][0]
    if mark != "{":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[mark]
    if not token["low"] and not token["high"]:
        raise _Unsafe
    low = int(token["low"] or 0)
    if not token["comma"]:
        return low, low
    return low, int(token["high"]) if token["high"] else None
