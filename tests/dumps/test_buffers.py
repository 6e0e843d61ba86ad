"""Arrays that are made of memory are those that pyarrow makes of values, and pandas stays out of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from moderation.dumps import buffers

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
SCORING = """
import sys
from moderation.cli.main import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
assert "pyarrow" in sys.modules
sys.exit("pandas was loaded" if "pandas" in sys.modules else 0)
"""


@pytest.mark.parametrize("values", [[], [""], ["a", "", "bc"], ["加我", "é", "", "x"], [None], ["加", None, "", "b"]])
def test_texts(values: list[str | None]) -> None:
    found = buffers.texts(values)
    found.validate(full=True)
    assert found.equals(pa.array(values, pa.string()))


def test_texts_that_no_file_holds_are_told() -> None:
    with pytest.raises(UnicodeEncodeError):
        buffers.texts(["a", "\ud800"])


@pytest.mark.parametrize("number", [0, 1, 8, 9, 100])
def test_truths(number: int) -> None:
    values = np.arange(number) % 3 == 0
    assert buffers.truths(values).equals(pa.array(values))


def test_numbers_need_not_lie_next_to_each_other() -> None:
    values = np.arange(20, dtype=np.int32).reshape(4, 5)[:, 2]
    assert buffers.numbers(values).equals(pa.array(values.tolist(), pa.int32()))


def test_offsets() -> None:
    assert buffers.offsets(np.array([0, 0, 2]), 4).to_pylist() == [0, 2, 2, 3, 3]


@pytest.mark.parametrize("option", [[], ["--only", "allowed", "--keep", "text"]])
def test_scoring_parquet_does_not_load_pandas(tmp_path: Path, option: list[str]) -> None:
    dump, out = tmp_path / "posts.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3], "text": ["hello", "加我微信 abc12345", "kill yourself"]}), dump)
    line = [sys.executable, "-c", SCORING, "score", "-q", *option, "-o", str(out), str(dump)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert out.exists()
