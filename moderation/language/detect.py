"""The language of every part of every text of a batch.

Script comes first: most scripts have one language, or one that is most likely. Han and kana are Chinese or Japanese by
the row that they stand in. Latin, Cyrillic, Arabic and Devanagari runs are told apart by their n-grams.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moderation.language.choose import NO_HINT, Chooser
from moderation.language.choose_latin import LatinChooser
from moderation.language.glyphs import Glyphs, glyph_of
from moderation.language.joining import join
from moderation.language.masks import mask
from moderation.language.ngrams import ALPHABETS
from moderation.language.runs import Runs, find_runs
from moderation.language.segments import Segments, to_segments
from moderation.text import classes
from moderation.text.batch import Batch
from moderation.text.codes import DEFAULT_LANGUAGES, LANGUAGES, ROMANISED, nearest_tags
from moderation.text.lists import constant

Ints = NDArray[np.int64]

# The language that is most likely written in a script, whatever the detector is asked for.
_SCRIPT_LANGUAGE = {
    classes.LATIN: "en",
    classes.HAN: "zh", classes.KANA: "ja", classes.HANGUL: "ko", classes.CYRILLIC: "ru", classes.ARABIC: "ar",
    classes.DEVANAGARI: "hi", classes.THAI: "th", classes.GREEK: "el", classes.HEBREW: "he", classes.BENGALI: "bn",
    classes.TAMIL: "ta", classes.GURMUKHI: "pa", classes.GUJARATI: "gu", classes.ORIYA: "or", classes.TELUGU: "te",
    classes.KANNADA: "kn", classes.MALAYALAM: "ml", classes.SINHALA: "si", classes.LAO: "lo", classes.KHMER: "km",
    classes.MYANMAR: "my", classes.TIBETAN: "bo", classes.GEORGIAN: "ka", classes.ARMENIAN: "hy",
    classes.ETHIOPIC: "am", classes.MONGOLIAN: "mn",
}  # fmt: skip
_SCRIPTS = 64
_LATIN = constant(classes.LATIN, np.int64)

# Japanese text holds at least this share of kana; only headlines and labels of few Han do without.
_KANA_SHARE = 0.2
_FEW_HAN = 12


class Detector:
    """Finds the language of every part of every text.

    `languages` are the tags it chooses from where several languages share a script (by default DEFAULT_LANGUAGES); the
    fewer, the better. A script that none of them is written in still gets the name of its main language: Georgian
    letters are never `und`. Latin text that is plainly in a language not among them gets that language's own name.
    Unless it reads `closely`, doubtful Latin text is not looked at a second time: twice as fast, but of two languages
    in one run only one is found, and languages that it does not choose from are taken for those that it does.
    `cjk_english` is how much likelier English is than other Latin languages beside Chinese, Japanese, Korean or Thai
    letters, in nats. `names` are all tags that it can say. Raises ValueError for a tag that is not in LANGUAGES.
    """

    def __init__(self, languages: Sequence[str] | None = None, cjk_english: float = 6.0, closely: bool = True) -> None:
        wanted = _wanted(DEFAULT_LANGUAGES if languages is None else languages)
        self._latin = LatinChooser.load(wanted, cjk_english, closely)
        choosers = {script: Chooser.load(script, wanted) for script in ALPHABETS}
        spoken = [*self._latin.languages, *(name for chooser in choosers.values() for name in chooser.languages)]
        self.names: tuple[str, ...] = tuple(dict.fromkeys(("und", *wanted, *spoken, *_SCRIPT_LANGUAGE.values())))
        self._number = {name: number for number, name in enumerate(self.names)}
        main = _SCRIPT_LANGUAGE | {script: chooser.languages[0] for script, chooser in choosers.items()}
        self._latin_numbers = self._numbers(self._latin.languages)
        if "ja" in wanted and "zh" not in wanted:
            main[classes.HAN] = "ja"
        self._of_script = np.zeros(_SCRIPTS, np.int64)
        self._of_script[list(main)] = [self._number[language] for language in main.values()]
        self._choosers = {
            script: (chooser, self._numbers(chooser.languages))
            for script, chooser in choosers.items()
            if len(chooser.languages) > 1
        }
        self._glyph_of = glyph_of()

    def detect(self, batch: Batch, hints: Sequence[str | None] | None = None) -> Segments:
        """The segments of all rows. `hints` are the declared languages by row: they tip a balance, no more.

        A row's segments depend on its text and its hint alone, not on the batch that it is in.
        """
        glyphs = self._glyph_of.take(batch.codes, mode="clip")
        mask(batch.codes, glyphs)
        glyphs, starts, source = join(batch.codes, glyphs, batch.starts)
        runs = find_runs(glyphs, starts)
        hinted = None if hints is None else self._hinted(hints)
        scripts = runs.scripts()
        if classes.KANA in scripts or hinted is not None:
            runs = self._japanese(runs, len(batch), hinted)
        language = self._of_script[runs.script]
        for script in scripts & self._choosers.keys():
            chooser, numbers = self._choosers[script]
            at = (runs.script == script).nonzero()[0]
            wished = None if hinted is None else hinted[runs.row[at]][:, None] == numbers
            language[at] = numbers[chooser.choose(glyphs, runs, at, wished)]
        if classes.LATIN in scripts:
            runs, language = self._read_latin(glyphs, runs, language, hinted)
        return to_segments(self.names, batch.starts, runs, language, source)

    def _read_latin(self, glyphs: Glyphs, runs: Runs, language: Ints, hinted: Ints | None) -> tuple[Runs, Ints]:
        """Name the language of Latin runs, and part those in which it changes."""
        at = (runs.script == _LATIN).nonzero()[0]
        wished = None if hinted is None else hinted[runs.row[at]][:, None] == self._latin_numbers
        chosen, changes = self._latin.choose(glyphs, runs, at, wished)
        language[at] = self._latin_numbers[chosen]
        if changes is None:
            return runs, language
        parts, languages = changes
        return runs.with_parts(parts, language, self._latin_numbers[languages])

    def odds(self, batch: Batch) -> NDArray[np.float64]:
        """Log-likelihood (nats) of each language in `names` for each row, over the runs that need telling apart; -inf
        for languages that it was not compared with, and for rows without such runs.
        """
        glyphs = self._glyph_of.take(batch.codes, mode="clip")
        mask(batch.codes, glyphs)
        glyphs, starts, _ = join(batch.codes, glyphs, batch.starts)
        runs = find_runs(glyphs, starts)
        table = np.full((len(batch), len(self.names)), -np.inf)
        all_of: dict[int, tuple[Chooser | LatinChooser, Ints]] = dict(self._choosers)
        all_of[classes.LATIN] = self._latin, self._latin_numbers
        for script, (chooser, numbers) in all_of.items():
            at = (runs.script == script).nonzero()[0]
            if len(at):
                rows, where = np.unique(runs.row[at], return_inverse=True)
                sums = np.zeros((len(rows), len(numbers)))
                np.add.at(sums, where, chooser.odds(glyphs, runs, at))
                table[rows[:, None], numbers] = sums
        return table

    def _numbers(self, languages: Sequence[str]) -> Ints:
        return np.array([self._number[language] for language in languages], np.int64)

    def _hinted(self, hints: Sequence[str | None]) -> Ints:
        """Number of the language that each row's hint names."""
        known = {hint: self._number.get(_language(hint), NO_HINT) for hint in set(hints) if hint}
        return np.array([known[hint] if hint else NO_HINT for hint in hints], np.int64)

    def _japanese(self, runs: Runs, rows: int, hinted: Ints | None) -> Runs:
        """Give Han to Japanese in rows with enough kana, kana to Chinese in the others."""
        kana, han = runs.script == classes.KANA, runs.script == classes.HAN
        kana_letters = np.bincount(runs.row[kana], runs.letters[kana], rows)
        han_letters = np.bincount(runs.row[han], runs.letters[han], rows)
        japanese = (kana_letters > 0) & (kana_letters >= _KANA_SHARE * (kana_letters + han_letters))
        if hinted is not None:
            japanese |= (hinted == self._number["ja"]) & (han_letters <= _FEW_HAN)
        both = np.where(japanese[runs.row], classes.KANA, classes.HAN)
        return runs.relabelled(np.where(kana | han, both, runs.script))


def _wanted(languages: Sequence[str]) -> tuple[str, ...]:
    for language in languages:
        if language not in LANGUAGES:
            meant = "".join(f"; did you mean {tag}?" for tag in nearest_tags(language)[:1] if tag in LANGUAGES)
            raise ValueError(f"no language that can be detected: {language!r}{meant}")
    romanised = [ROMANISED[language] for language in languages if language in ROMANISED]
    return tuple(dict.fromkeys((*languages, *romanised)))


def _language(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()
