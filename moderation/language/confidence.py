"""How sure the detector is of what it called a segment: for reports, not on the hot path.

A segment's n-grams are not independent, so their likelihoods are far too sure of themselves: they are flattened before
they are compared. What is written in a script of one language is certain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moderation.language.detect import Detector
from moderation.language.segments import Segments
from moderation.text.batch import Batch

_FLATTENING = 3.0


def confidences(detector: Detector, batch: Batch, found: Segments) -> NDArray[np.float64]:
    """For each segment the probability, from 0 to 1, of the language that it was called; 0 for `und`."""
    columns = zip(found.row.tolist(), found.start.tolist(), found.end.tolist(), strict=True)
    texts = [batch.texts[row][start:end] for row, start, end in columns]
    odds = detector.odds(Batch.of(texts)) / _FLATTENING
    known = np.isfinite(odds)
    highest = np.where(known.any(axis=1), odds.max(axis=1, initial=-np.inf), 0.0)
    likely = np.exp(odds - highest[:, None])
    called = np.take_along_axis(likely, found.language[:, None].astype(np.int64), axis=1)[:, 0]
    sure = np.where(known.any(axis=1), called / np.maximum(likely.sum(axis=1), 1e-300), 1.0)
    result: NDArray[np.float64] = np.where(found.language == 0, 0.0, sure)
    return result
