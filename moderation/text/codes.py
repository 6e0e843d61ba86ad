"""Language tags: which are well formed, which the detector can say, and the scripts that a language is written in.

A tag is a language code, optionally with a script: `zh`, `zh-Hant`, `yue`. Codes are those of BCP 47 (two letters where
ISO 639-1 has a code, else the three of ISO 639-3), scripts those of ISO 15924.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from moderation.text.classes import names as classes

DEFAULT_LANGUAGES: tuple[str, ...] = (
    "en", "zh", "ja", "ko", "es", "pt", "fr", "de", "it", "ru", "ar", "hi", "id", "vi", "th", "tr",
    "uk", "bg", "fa", "ur", "el", "he", "zh-Latn", "hi-Latn",
)  # fmt: skip
"""What the detector tells apart unless a policy names its own languages."""

LANGUAGES: tuple[str, ...] = (
    "af", "am", "ar", "az", "bg", "bn", "bo", "ca", "cs", "cy", "da", "de", "el", "en", "eo", "es", "et", "eu",
    "fa", "fi", "fr", "ga", "gu", "he", "hi", "hi-Latn", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "km",
    "kn", "ko", "lo", "lt", "lv", "mk", "ml", "mn", "mr", "my", "ne", "nl", "no", "or", "pa", "pl", "pt", "ro",
    "ru", "si", "sk", "sl", "so", "sq", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zh",
    "zh-Latn",
)  # fmt: skip
"""Everything that the detector can be asked to say."""

ROMANISED = {"zh": "zh-Latn", "hi": "hi-Latn"}
"""Romanisations that are looked for wherever their language is."""

# What people write instead of a code: English names, country codes, bibliographic codes.
_MISTAKEN = {
    "arabic": "ar", "ara": "ar", "bengali": "bn", "bulgarian": "bg", "chi": "zh", "chinese": "zh", "chs": "zh-Hans",
    "cht": "zh-Hant", "cn": "zh", "cz": "cs", "czech": "cs", "danish": "da", "deu": "de", "dk": "da", "dutch": "nl",
    "eng": "en", "english": "en", "fas": "fa", "filipino": "tl", "finnish": "fi", "fra": "fr", "fre": "fr",
    "french": "fr", "ger": "de", "german": "de", "greek": "el", "hebrew": "he", "hin": "hi", "hindi": "hi", "in": "id",
    "ind": "id", "indonesian": "id", "ita": "it", "italian": "it", "iw": "he", "japanese": "ja", "jp": "ja",
    "jpn": "ja", "kor": "ko", "korean": "ko", "mandarin": "zh", "may": "ms", "malay": "ms", "per": "fa",
    "persian": "fa", "polish": "pl", "por": "pt", "portuguese": "pt", "rus": "ru", "russian": "ru", "spa": "es",
    "spanish": "es", "swedish": "sv", "tha": "th", "thai": "th", "tur": "tr", "turkish": "tr", "ua": "uk",
    "ukr": "uk", "ukrainian": "uk", "urd": "ur", "urdu": "ur", "vie": "vi", "vietnamese": "vi", "zho": "zh",
}  # fmt: skip
_REGIONS = {"zh-cn": "zh-Hans", "zh-sg": "zh-Hans", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant", "zh-mo": "zh-Hant"}

# Script classes by language; Latin is added to all: every language is romanised, abbreviated and borrowed into.
_WRITTEN_IN = {
    "HAN": "zh ja ko yue cmn wuu nan hak hsn gan lzh cdo",
    "KANA": "ja ain ryu",
    "HANGUL": "ko",
    "BOPOMOFO": "zh nan hak",
    "CYRILLIC": "ru uk bg be mk sr sh bs kk ky tg mn tt ba cv ce av os ab kv rue tyv sah uz tk az cu ku",
    "GREEK": "el grc",
    "ARABIC": "ar fa ur ps sd ug ku ks pa az arz ary arb aeb acm apc ajp ckb prs pes pnb bal ms tk uz ha",
    "HEBREW": "he yi lad",
    "DEVANAGARI": "hi mr ne sa kok mai bho awa doi brx sd ks new mag hne raj",
    "THAI": "th tts sou pi",
    "BENGALI": "bn as mni",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "ORIYA": "or",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn tcy",
    "MALAYALAM": "ml",
    "SINHALA": "si pi",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my shn mnw ksw pi",
    "TIBETAN": "bo dz",
    "GEORGIAN": "ka xmf",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am ti gez",
    "MONGOLIAN": "mn",
    "LATIN": "af an br ca ceb co cs cy da de en eo es et eu fi fil fj fo fr fy ga gd gl gn gv hmn hr ht hu id ig ilo "
    "is it jv la lb ln lt lv mg mi mt nb nl nn no ny oc pap pl pt qu rm ro rw sk sl sm sn so sq st su sv sw tet tl "
    "tn to tpi tr ts vi wa war wo xh yo zu",
}
_SUBTAGS = {
    "Hans": "HAN", "Hant": "HAN", "Hani": "HAN", "Hanb": "HAN BOPOMOFO", "Bopo": "BOPOMOFO", "Jpan": "HAN KANA",
    "Hrkt": "KANA", "Hira": "KANA", "Kana": "KANA", "Kore": "HANGUL HAN", "Hang": "HANGUL", "Jamo": "HANGUL",
    "Latn": "LATIN", "Latf": "LATIN", "Latg": "LATIN", "Cyrl": "CYRILLIC", "Cyrs": "CYRILLIC", "Grek": "GREEK",
    "Arab": "ARABIC", "Aran": "ARABIC", "Hebr": "HEBREW", "Deva": "DEVANAGARI", "Thai": "THAI", "Beng": "BENGALI",
    "Guru": "GURMUKHI", "Gujr": "GUJARATI", "Orya": "ORIYA", "Taml": "TAMIL", "Telu": "TELUGU", "Knda": "KANNADA",
    "Mlym": "MALAYALAM", "Sinh": "SINHALA", "Laoo": "LAO", "Khmr": "KHMER", "Mymr": "MYANMAR", "Tibt": "TIBETAN",
    "Geor": "GEORGIAN", "Armn": "ARMENIAN", "Ethi": "ETHIOPIC", "Mong": "MONGOLIAN",
}  # fmt: skip


def is_language_tag(tag: str) -> bool:
    """Whether `tag` is a language code, or a code and a script: `zh`, `yue`, `zh-Hant`; not `eng`, `zh_CN` or `ZH`."""
    language, dash, script = tag.partition("-")
    return len(language) < 4 and language in _subtags() and (not dash or (len(script) == 4 and script in _subtags()))


def nearest_tags(tag: str, limit: int = 3) -> tuple[str, ...]:
    """Tags that the writer of a wrong tag may have meant, likeliest first: `English` gives `en`, `zh_CN` `zh-Hans`."""
    plain = tag.strip().replace("_", "-").lower()
    language, _, rest = plain.partition("-")
    recased = f"{language}-{rest.title()}"
    for found in (_REGIONS.get(plain), recased, _MISTAKEN.get(plain), _MISTAKEN.get(language), language):
        if found and is_language_tag(found):
            return (found,)
    close = get_close_matches(plain, [*_MISTAKEN, *sorted(LANGUAGES)], limit, cutoff=0.7)
    return tuple(dict.fromkeys(_MISTAKEN.get(name, name) for name in close))


def scripts_of(tag: str) -> frozenset[int]:
    """The script classes in which a language may be met, Latin always among them; all classes where none is known.

    `ja` gives Han, Kana and Latin; a script subtag narrows: `sr-Cyrl` gives Cyrillic and Latin.
    """
    language, _, script = tag.partition("-")
    found = _SUBTAGS.get(script, "").split() or [name for name, users in _written_in() if language in users]
    return frozenset(classes.index(name) for name in {*found, "LATIN"}) if found else frozenset(range(len(classes)))


def can_be_said(tag: str, chosen: Iterable[str], closely: bool) -> bool:
    """Whether a detector that chooses from these languages can say `tag`, one of LANGUAGES.

    Who reads closely knows all; a first look tells the languages of other alphabets than Latin, and those chosen.
    """
    known = {name for language in chosen for name in (language, ROMANISED.get(language))}
    return closely or tag in known or scripts_of(tag) != {classes.index("LATIN")}


@cache
def _written_in() -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((script, frozenset(users.split())) for script, users in _WRITTEN_IN.items())


@cache
def _subtags() -> frozenset[str]:
    lines = files("moderation.text").joinpath("tables", "subtags.txt").read_text("ascii").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
