"""What reads as a term by a trick and is ordinary writing all the same: the false hits that tricks would bring."""

from __future__ import annotations

from functools import lru_cache

import regex

from moderation.evasion.align import Alignment
from moderation.evasion.spellings import VOWEL_SIGNS, Spelling, has_puns, is_one_apart, is_pun
from moderation.evasion.tricks import BIT
from moderation.evasion.words import (
    PARTICLES,
    SEVERAL,
    common_characters,
    is_chinese_word,
    is_english_word,
    sounds_like_another,
)
from moderation.text.segmenter import cut

_CONTEXT = 8
_MODEL_NUMBER = regex.compile(r"([a-z]+)([0-9]+)|([0-9]+)([a-z]+)")
_LATIN = regex.compile(r"[a-z]+")
_HAN = regex.compile(r"\p{Han}+")
_SENTENCE_BREAK = regex.compile(r"[.!?;:]\s|[。!?;:、]|^[(《》)]$")
PARTING = frozenset(",.!?;:。、()《》")
"""What parts words: what stands on both sides of one is seldom one term that is only said by its sounds."""
_PUNCTUATION = regex.compile(f"[{regex.escape(''.join(sorted(PARTING)))}]")
_ENUMERATES = regex.compile("[,、]")
_LATIN_OR_HAN = regex.compile(r"[^\p{Han}a-z0-9]+")
_TIGHT = regex.compile(r"([._*/~+|·=-])\1{0,3}")
_LISTED = BIT["initials"] | BIT["reversed"]
_SOUNDS = BIT["homophones"] | BIT["near-homophones"] | BIT["emoji"]


def is_ordinary(row: str, start: int, end: int, found: Alignment, spelling: Spelling) -> bool:
    """Whether a stretch of a folded row that reads as a spelling is ordinary writing."""
    text = row[start:end]
    if is_pun(text, spelling.text):
        return False
    if spelling.mask & _LISTED and found.gaps:
        return not _are_spelled_out(text, found)
    if spelling.mask & BIT["masks"]:
        return len(found.gaps) > 1 or not VOWEL_SIGNS.issuperset(found.gaps)
    if text.isascii():
        return _is_ordinary_latin(row, text, found, spelling)
    if found.gaps and _is_running_text(row, start, end, found, spelling):
        return True
    if found.mask & BIT["pinyin"] and " " in text:
        return any(len(token) > 2 and is_english_word(token) for token in _LATIN.findall(text))
    if (spelling.mask | found.mask) & BIT["splits"]:
        return _are_other_characters(row, start, end, spelling)
    if spelling.mask & BIT["initials"]:
        return False
    if spelling.exact or found.mask & _SOUNDS:
        return _are_words(row, start, end) or _only_sounds(text, found, spelling)
    return False


def _are_other_characters(row: str, start: int, end: int, spelling: Spelling) -> bool:
    """Whether parts of characters are one of their own, or common ones that belong to what stands beside them: 女干 in
    增强女干部.
    """
    text = row[start:end]
    if is_one_apart(text) or (spelling.exact and len(spelling.text) == 2):
        return is_one_apart(text) or _are_words(row, start, end)
    common = _HAN.fullmatch(text) is not None and common_characters()[[ord(character) for character in text]].all()
    return bool(common) and not _stands_alone(row, start, end)


def _only_sounds(text: str, found: Alignment, spelling: Spelling) -> bool:
    """Two other characters that sound like a term of two, none of them its own: 圆角 is no 援交. Nor is one enough that
    stands in every sentence: 赢了 is no 硬了, 是同性恋 no 死同性恋.
    """
    if spelling.exact or found.mask & (BIT["emoji"] | BIT["pinyin"]):
        return False
    said = _LATIN_OR_HAN.sub("", text)
    if is_pun(said, spelling.text):
        return False
    if found.mask & BIT["near-homophones"] and "是" in said and "是" not in spelling.text:
        return True
    return len(spelling.text) == 2 and set(said) & set(spelling.text) <= PARTICLES


def _is_ordinary_latin(row: str, text: str, found: Alignment, spelling: Spelling) -> bool:
    if found.mask & BIT["pinyin"]:
        return _is_said_plainly(row, text, found, spelling.text)
    if found.mask & BIT["leet"] and _is_model_number(text):
        return True
    if spelling.mask & BIT["initials"] and len(text) < 3 and _HAN.search(row) is None:
        return True
    return _are_english(text, spelling.text, found) if found.gaps else is_english_word(text)


def _is_model_number(text: str) -> bool:
    """A55, 4k, 300ml: letters and then digits or digits and then letters, few of them letters."""
    match = _MODEL_NUMBER.fullmatch(text)
    if match is None:
        return False
    letters, digits = len(match[1] or match[4]), len(match[2] or match[3])
    return letters < 2 * digits or letters < 2


def _are_english(text: str, spelled: str, found: Alignment) -> bool:
    """`pen is`, `the m`, `i'll`: words with what stands between words anyway, and no letters spelled out one by one."""
    chunks = _LATIN.findall(text)
    if len(found.gaps) == 1 and (found.gaps[0] == "'" or _SENTENCE_BREAK.search(found.gaps[0])):
        return True
    if " " in spelled:
        return is_english_word("".join(chunks))
    if all(len(chunk) == 1 for chunk in chunks):
        return False
    words = [chunk for chunk in chunks if is_english_word(chunk) and (len(chunk) > 1 or chunk in "ai")]
    if len(words) == len(chunks):
        return True
    spaced = any(" " in gap for gap in found.gaps)
    rest = sum(map(len, chunks)) - sum(map(len, words))
    return spaced and (rest < 2 or any(len(word) > 2 for word in words))


def _are_spelled_out(text: str, found: Alignment) -> bool:
    """Whether letters stand one by one, the same between all of them: s h a b i, c.n.m."""
    tokens = _LATIN.findall(text)
    return len(found.gaps) > 1 and len(set(found.gaps)) == 1 and all(len(token) == 1 for token in tokens)


def _is_said_plainly(row: str, text: str, found: Alignment, spelled: str) -> bool:
    """Whether letters that would be pinyin are words of their own, or pinyin of something else that people say."""
    tokens = _LATIN.findall(text)
    if found.gaps and _are_spelled_out(text, found):
        return False
    if not all(map(_TIGHT.fullmatch, found.gaps)):
        return True
    # Where nothing is Chinese it takes more: Shab is not 傻b.
    if (found.mask & BIT["near-homophones"] or len(_HAN.sub("", spelled)) == len(spelled) - 1) and not _HAN.search(row):
        return True
    if all(map(is_english_word, tokens)) and (len(tokens) == 1 or any(len(token) > 3 for token in tokens)):
        return True
    return not has_puns(spelled) and sounds_like_another("".join(tokens), spelled)


def _is_running_text(row: str, start: int, end: int, found: Alignment, spelling: Spelling) -> bool:
    """Whether what stands in between is what stands between words and sentences anyway. The same between all characters
    is what evaders write, unless it enumerates: 大、中、小.
    """
    if not (spelling.exact or found.mask & (_SOUNDS | BIT["pinyin"])):
        if any(_SENTENCE_BREAK.search(gap) for gap in found.gaps) and len(found.gaps) < 2:
            return True
    elif len(found.gaps) > 1 and len(set(found.gaps)) == 1:
        if _ENUMERATES.search(found.gaps[0]):
            return True
    elif any(_PUNCTUATION.search(gap) for gap in found.gaps if gap != "."):
        return True
    return _in_other_words(row, start, end)


def _in_other_words(row: str, start: int, end: int) -> bool:
    """Whether a character beside a gap belongs to a longer word with what stands before or after the stretch."""
    pieces = list(_HAN.finditer(row, start, end))
    if len(pieces) < 2:
        return False
    before = _HAN.search(row[max(start - _CONTEXT, 0) : pieces[0].end()][::-1])
    after = _HAN.match(row[pieces[-1].start() : end + _CONTEXT])
    first, last = (before[0][::-1] if before else ""), (after[0] if after else "")
    inside_first, inside_last = len(pieces[0][0]), len(pieces[-1][0])
    return (len(first) > inside_first and not _stands(first, len(first) - inside_first)) or (
        len(last) > inside_last and not _stands(last, inside_last)
    )


@lru_cache(maxsize=1 << 14)
def _stands(text: str, edge: int) -> bool:
    """Whether an edge falls between two words."""
    at = 0
    for word in cut(text):
        if at >= edge:
            break
        at += len(word)
    return at == edge


def _are_words(row: str, start: int, end: int) -> bool:
    """Whether the characters are ordinary words, or parts of words that reach over the ends."""
    text = row[start:end]
    if _HAN.fullmatch(text) is None:
        return False
    codes = [ord(character) for character in text]
    if is_chinese_word(text) or (len(text) <= SEVERAL and bool(common_characters()[codes].all())):
        return True
    return not _stands_alone(row, start, end)


def _stands_alone(row: str, start: int, end: int) -> bool:
    """Whether both ends of a stretch fall between words."""
    opens = max(start - _CONTEXT, 0)
    window = row[opens : end + _CONTEXT]
    match = next((m for m in _HAN.finditer(window) if m.start() <= start - opens < m.end()), None)
    if match is None:
        return True
    base = opens + match.start()
    return _stands(match[0], start - base) and _stands(match[0], end - base)
