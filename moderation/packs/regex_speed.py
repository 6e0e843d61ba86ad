"""Whether a regex may take exponential time: read off its structure, and tried where the structure doesn't tell.

The structure is that of the standard library's parser. What only the `regex` package understands is first replaced by
what means the same over a small alphabet; a pattern that still cannot be read is left to the time limit of matching.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import import_module
from math import prod
from typing import Any, TypeAlias

import regex

_parser: Any = import_module("re._parser")
Items: TypeAlias = Any
Chars: TypeAlias = "frozenset[str]"

_PROPERTY = re.compile(r"\\[pP](?:\{[^{}]*\}|\w)|\\h|\[:\^?\w+:\]")
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_SAMPLES = "azAZ09_ .,:;-+/@#!?'\"()&%$~\n\t\x01éßабαω微信加我了かカ한국مرहिनท😀·、。！：１"
_LIKED = "a加0 "
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{\d*,?\d+,?\d*\})")
_ANOTHER_MEANING = re.compile(rf"{_REPEATED_GROUP.pattern}|\{{(?!\d)")
_LONG = 10
# What is counted as one step may walk over a hundred characters: on a slow machine as many.
_STEPS_A_SECOND, _MOST_STEPS = 15_000_000, 1_000_000
_PUMPED, _INSIDE = 64, 4
_TRIES = 4
_SECONDS = 0.25


def explodes(pattern: str, compiled: Any) -> bool:
    """Whether refusing some text takes time that doubles with every character of it: (a+)+, (a|a)+ or (a*ba*)*."""
    tree = parse(pattern)
    if tree is None:
        return False
    if any(map(_ambiguous, _repeated(tree))):
        return True
    # The standard library merges (?:a|[ab]) into one class, `regex` does not: groups are tried whatever they hold.
    return _REPEATED_GROUP.search(pattern) is not None and any(_runs_out(compiled, text) for text in _pumped(tree))


@lru_cache(maxsize=1 << 12)
def is_quick(pattern: str, length: int, seconds: float) -> bool:
    """Whether, by its structure, a regex is through with any text of this length in so many seconds."""
    # `regex` knows of errors to be forgiven, as {e<=1}, and tries all branches of a group where the standard library
    # has merged them into a class: (a|[ab])+.
    tree = None if _ANOTHER_MEANING.search(pattern) else parse(pattern)
    return tree is not None and length * _ways(tree, length) <= min(seconds * _STEPS_A_SECOND, _MOST_STEPS)


def _ways(items: Items, length: int) -> int:
    """In how many ways, at most, items match one after the other from one place on."""
    ways = 1
    for operator, argument in items:
        ways = min(ways * _ways_of(str(operator), argument, length), _MOST_STEPS + 1)
    return ways


def _ways_of(name: str, argument: Any, length: int) -> int:
    each = [_ways(part, length) for part in _parts(name, argument)]
    if name not in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return sum(each) if name == "BRANCH" else prod(each)
    low, high = (int(min(bound, length)) for bound in argument[:2])
    # What matches in several ways does so in each round, and twenty rounds are more than a million.
    ways: int = (high - low + 1) * each[0] ** min(high, 20)
    return ways


@lru_cache(maxsize=16)
def parse(pattern: str) -> Items | None:
    """The structure of a regex, None where the standard library cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parser.parse(_plain(pattern))
    except (re.error, RecursionError, OverflowError, ValueError):
        return None


def _plain(pattern: str) -> str:
    """The pattern with \\p{Han}, [:alpha:] and the like as the samples that they match."""

    def inside(found: re.Match[str]) -> str:
        return _members(found[0])

    sets = _CLASS.sub(lambda found: _PROPERTY.sub(inside, found[0]), pattern)
    plain = _PROPERTY.sub(lambda found: f"[{inside(found)}]", sets)
    return plain.replace(r"\R", r"\n").replace(r"\X", ".").replace(r"\K", "")


@cache
def _members(property_: str) -> str:
    name = f"[{property_}]" if property_.startswith("[:") else property_
    try:
        return re.escape("".join(regex.findall(name, _SAMPLES))) or "\ue000"
    except regex.error:
        return "\ue000"


# Structure


def _repeated(items: Items) -> Iterator[Items]:
    """The bodies of long repeats."""
    for operator, argument in items:
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] >= _LONG:
            yield argument[2]
        for part in _parts(name, argument):
            yield from _repeated(part)


def _parts(name: str, argument: Any) -> list[Items]:
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return [argument[2]]
    if name == "SUBPATTERN":
        return [argument[-1]]
    if name == "BRANCH":
        return list(argument[1])
    if name in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    if name == "GROUPREF_EXISTS":
        return [part for part in argument[1:] if part is not None]
    return [argument] if name == "ATOMIC_GROUP" else []


def _ambiguous(body: Items) -> bool:
    """Whether a repeated body holds an unbounded repeat, and nothing says where one round ends and the next begins."""
    items = _flat(body)
    return any(map(_unbounded, items)) and not (_delimits(items, 0) or _delimits(items, len(items) - 1))


def _flat(items: Items) -> list[Any]:
    """The items of a sequence, groups opened."""
    found: list[Any] = []
    for operator, argument in items:
        found += _flat(argument[-1]) if str(operator) == "SUBPATTERN" else [(operator, argument)]
    return found


def _unbounded(item: Any) -> bool:
    name = str(item[0])
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        return item[1][1] is _parser.MAXREPEAT or any(map(_unbounded, _flat(item[1][2])))
    if name in ("ATOMIC_GROUP", "POSSESSIVE_REPEAT", "ASSERT", "ASSERT_NOT"):
        return False
    return any(_unbounded(inner) for part in _parts(name, item[1]) for inner in _flat(part))


def _delimits(items: list[Any], index: int) -> bool:
    """Whether every round has exactly one stretch of what this item matches: (a+b)+, (\\s+\\w+)+."""
    name, argument = str(items[index][0]), items[index][1]
    rest = items[:index] + items[index + 1 :]
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        # Without something between two rounds, one long stretch is also two short ones: (a+b?)+.
        alone = len(argument[2]) == 1 and str(argument[2][0][0]) in _ONE
        if argument[0] < 1 or not alone or not any(map(_required, rest)):
            return False
    elif name not in _ONE:
        return False
    return not _chars(items[index]) & frozenset().union(*map(_chars, rest))


def _required(item: Any) -> bool:
    """Whether an item stands for a character at least."""
    name, argument = str(item[0]), item[1]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return argument[0] > 0 and any(map(_required, argument[2]))
    return name in _ONE


_ONE = ("LITERAL", "NOT_LITERAL", "IN", "ANY")


def _chars(item: Any) -> Chars:
    """The samples that an item can match; for what holds several, of any of them."""
    name, argument = str(item[0]), item[1]
    if name == "ANY":
        return frozenset(_SAMPLES)
    if name in ("LITERAL", "NOT_LITERAL"):
        found = frozenset({chr(argument), chr(argument).lower(), chr(argument).upper()})
        return found if name == "LITERAL" else frozenset(_SAMPLES) - found
    if name == "IN":
        found = frozenset().union(*(_in_class(member) for member in argument))
        return frozenset(_SAMPLES) - found if str(argument[0][0]) == "NEGATE" else found
    if name == "GROUPREF":
        return frozenset(_SAMPLES)
    return frozenset().union(*(_chars(inner) for part in _parts(name, argument) for inner in part))


def _in_class(member: Any) -> Chars:
    name, argument = str(member[0]), member[1]
    if name == "LITERAL":
        return frozenset({chr(argument), chr(argument).lower(), chr(argument).upper()})
    if name == "RANGE":
        low, high = argument
        ends = {chr(low), chr(high)}
        return frozenset(ends | {char for char in _SAMPLES if low <= ord(char) <= high or _cased(char, low, high)})
    if name == "CATEGORY":
        return frozenset(re.findall(_CATEGORIES[str(argument)], _SAMPLES))
    return frozenset()


def _cased(char: str, low: int, high: int) -> bool:
    return any(len(other) == 1 and low <= ord(other) <= high for other in (char.lower(), char.upper()))


_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}


# Trial


def _pumped(tree: Items) -> Iterator[str]:
    """Texts that the regex nearly matches, with its long repeats at length: what makes a bad one try every way."""
    for turn in range(_TRIES):
        text = _example(tree, turn)
        # What the regex demands somewhere has to be there, or it gives up before it starts.
        yield text[:-1] + "\x01" + text
        yield text + "\x01"


def _example(items: Items, turn: int, length: int = _PUMPED) -> str:
    """A text that the items match, lookaround left out; `turn` chooses among alternatives, repeats reach `length`."""
    return "".join(_one_example(str(operator), argument, turn, length) for operator, argument in items)[:1000]


def _one_example(name: str, argument: Any, turn: int, length: int) -> str:
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, body = argument
        once = _example(body, turn, min(length, _INSIDE))
        times: int = max(low, min(high, length // max(len(once), 1)), 1)
        return once * min(times, 1000)
    if name == "BRANCH":
        return _example(argument[1][turn % len(argument[1])], turn // 2, length)
    if name in _ONE:
        found = _chars((name, argument))
        liked: list[str] = [char for char in _LIKED if char in found] or [min(found - {"\x01", "\n"}, default="")]
        return liked[turn % len(liked)]
    if name in ("SUBPATTERN", "ATOMIC_GROUP"):
        return _example(_parts(name, argument)[0], turn, length)
    return ""


def _runs_out(compiled: Any, text: str) -> bool:
    try:
        compiled.search(text, timeout=_SECONDS)
    except TimeoutError:
        return True
    return False
