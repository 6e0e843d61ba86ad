"""The main language of each text, for figures by language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moderation.language.detect import Detector
from moderation.text.batch import Batch

_PORTION = 4096


def main_languages(texts: Sequence[str], detector: Detector | None = None) -> NDArray[np.str_]:
    """By text the language of the greatest share, `und` where there is none."""
    detector = detector or Detector()
    names = np.array(detector.names)
    found = [_main(texts[at : at + _PORTION], detector) for at in range(0, len(texts), _PORTION)]
    return names[np.concatenate(found)] if found else names[:0]


def _main(texts: Sequence[str], detector: Detector) -> NDArray[np.int64]:
    segments = detector.detect(Batch.of(texts))
    # A text without any segment has equal shares of nothing: the first name, `und`.
    main: NDArray[np.int64] = segments.shares(np.arange(len(texts)), len(texts)).argmax(axis=1)
    return main
