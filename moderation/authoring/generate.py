"""Generated posts and terms: seeded, so that two machines measure the same work."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence

from moderation.authoring.phrases import CHINESE, ENGLISH, HARMFUL_CHINESE, HARMFUL_ENGLISH, MIXED, OTHERS

SHORTEST, LONGEST = 60, 100
HARMFUL_SHARE = 0.03
# Chinese, English, both in one post, other languages.
SHARES = (40, 40, 15, 5)

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_RULE_TERMS = 100


def posts(count: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Posts of 60 to 100 characters: 40 % Chinese, 40 % English, 15 % mixed, 5 % in other languages, 3 % harmful."""
    source = random.Random(seed)
    for number in range(1, count + 1):
        kind = source.choices(range(len(SHARES)), SHARES)[0]
        yield {
            "id": number,
            "text": _text(source, kind),
            "created_at": f"2026-11-{source.randint(1, 28):02}T{source.randint(0, 23):02}:00:00Z",
            "author": {"id": source.randint(1, 10**9), "age_days": source.randint(0, 2000)},
        }


def terms(count: int, seed: int = 0) -> list[str]:
    """Different random terms that hardly ever hit: half Han of 2 to 5 characters, half Latin of 4 to 10 letters."""
    source = random.Random(f"terms {seed}")
    found: dict[str, None] = {}
    while len(found) < count:
        if len(found) % 2:
            found["".join(source.choices(_LETTERS, k=source.randint(4, 10)))] = None
        else:
            found["".join(source.choices(_HAN, k=source.randint(2, 5)))] = None
    return list(found)


def packs(count: int, seed: int = 0) -> dict[str, bytes]:
    """Two packs, `bench/zh` and `bench/en`, that look for `count` generated terms, a hundred a rule."""
    found = terms(count, seed)
    parts = {"zh": found[::2], "en": found[1::2]}
    return {f"bench/{language}.yaml": _pack(language, part) for language, part in parts.items() if part}


def _text(source: random.Random, kind: int) -> str:
    phrases: Sequence[str] = (CHINESE, ENGLISH, MIXED, OTHERS[source.choice(list(OTHERS))])[kind]
    joint = "，" if kind == 0 else ", "
    parts = [source.choice(phrases)]
    if source.random() < HARMFUL_SHARE:
        harm = source.choice(HARMFUL_CHINESE if kind == 0 or (kind > 1 and source.random() < 0.5) else HARMFUL_ENGLISH)
        handle = "".join(source.choices(_LETTERS, k=5)) + str(source.randint(100, 9999))
        parts.insert(source.randint(0, 1), harm.format(handle=handle, number=source.randint(10**6, 10**9)))
    target = source.randint(SHORTEST, LONGEST)
    text = joint.join(parts)
    while len(text) < target:
        text += joint + source.choice(phrases)
    return text[: max(target, len(joint.join(parts)))][:LONGEST]


def _pack(language: str, found: Sequence[str]) -> bytes:
    parts = {f"part-{start}": found[start : start + _RULE_TERMS] for start in range(0, len(found), _RULE_TERMS)}
    head = _HEAD.format(language=language)
    lists = "".join(f"  {name}: {json.dumps(part, ensure_ascii=False)}\n" for name, part in parts.items())
    rules = "".join(_RULE.format(name=name, term=part[0]) for name, part in parts.items())
    return f"{head}lists:\n{lists}rules:\n{rules}".encode()


_HEAD = """\
pack: bench/{language}
version: 2026.11.1
about: Generated terms.
languages: [{language}]
category: generated
resist: []
"""

_RULE = """\
  - id: {name}
    verdict: flag
    severity: 20
    when: {{list: {name}}}
    examples: {{hit: ["{term}"], miss: ["…"]}}
    reason: {{en: A generated term, zh: 生成的词}}
"""

# The 3,755 most frequent Chinese characters, as GB 2312 orders them.
_HAN = "".join(
    bytes((high, low)).decode("gb2312")
    for high in range(0xB0, 0xD8)
    for low in range(0xA1, 0xFF if high < 0xD7 else 0xFA)
)
