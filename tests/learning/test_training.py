"""Training, model files and serving: what is served is what was fitted, and nothing foreign is ever used."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV
from sklearn.utils import estimator_checks

from moderation.errors import DumpError
from moderation.learning.estimator import LinearTextClassifier, Loss
from moderation.learning.evaluate import score_texts
from moderation.learning.labelled import Mapped, read_labelled
from moderation.learning.recipe import tasks_of
from moderation.learning.train import train_model
from moderation.packs.models import LIMIT, Head, ModelError, dump_model, load_model
from moderation.signals import classifier
from moderation.signals.classifier import Classifier
from moderation.signals.features import VERSION, grams, text_of
from moderation.text.batch import Batch
from moderation.text.views import folded_view

TEXTS = st.lists(
    st.text(st.sampled_from("ab 1z傻逼笔煞加微かカ😀मа\u0430!\u0301\u200b\ud800\0aaa"), max_size=40), max_size=12
)


def served(model: bytes, texts: list[str]) -> np.ndarray:
    view = folded_view(Batch.of(texts))
    return Classifier(load_model(model)).decisions(view.codes, view.starts)


def kinds_of(text: str) -> dict[str, set[int]]:
    view = folded_view(Batch.of([text]))
    found: dict[str, set[int]] = {}
    for each in grams(text_of(view.codes, view.starts)):
        found.setdefault(each.kind, set()).update(each.bucket.tolist())
    return found


@pytest.mark.parametrize(
    "check",
    [
        "check_no_attributes_set_in_init",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_get_params_invariance",
        "check_set_params",
        "check_parameters_default_constructible",
        "check_estimators_unfitted",
    ],
)
def test_scikit_learn_checks_that_apply_to_texts(check: str) -> None:
    getattr(estimator_checks, check)("LinearTextClassifier", LinearTextClassifier())


def test_it_learns_and_gives_probabilities(posts: list[tuple[str, str]]) -> None:
    texts, labels = zip(*posts, strict=True)
    fitted = LinearTextClassifier().fit(texts[:160], labels[:160])
    assert fitted.classes_.tolist() == ["ham", "spam"]
    assert (fitted.predict(texts[160:]) == np.array(labels[160:])).mean() > 0.95
    assert np.allclose(fitted.predict_proba(texts).sum(axis=1), 1)


def test_it_works_inside_scikit_learn(posts: list[tuple[str, str]]) -> None:
    texts, labels = map(list, zip(*posts, strict=True))
    search = GridSearchCV(LinearTextClassifier(bits=14), {"loss": ["logistic", "squared_hinge"]}, cv=2)
    assert search.fit(texts, labels).best_score_ > 0.9
    copy = pickle.loads(pickle.dumps(search.best_estimator_))
    assert (copy.predict(texts) == search.predict(texts)).all()


def test_it_refuses_what_is_no_text_or_one_class() -> None:
    with pytest.raises(ValueError, match="two classes"):
        LinearTextClassifier().fit(["a", "b"], [1, 1])
    with pytest.raises(ValueError, match="number 1 is a int"):
        LinearTextClassifier().fit(["a", 2], [0, 1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="one text"):
        LinearTextClassifier().fit("ab", [0, 1])


@pytest.mark.parametrize("loss", ["squared_hinge", "logistic"])
def test_what_is_served_is_what_was_fitted(posts: list[tuple[str, str]], loss: Loss) -> None:
    texts, labels = map(list, zip(*posts, strict=True))
    fitted = LinearTextClassifier(loss=loss).fit(texts, labels)
    numbers = np.array([[fitted.scale_, fitted.intercept_[0], 1.0, 0.0]])
    model, _ = dump_model([Head("spam", "en", "ours", {})], fitted.weights_[None], numbers, VERSION)
    texts += ["", " ", "free prize " * 900, "\ud800", "加" * 2000]
    decided = fitted.decision_function(texts)
    assert np.abs(served(model, texts)[:, 0] - decided).max() < 1e-4
    assert np.abs(score_texts(load_model(model), texts)[:, 0] - 1 / (1 + np.exp(-decided))).max() < 1e-4


def test_probabilities_are_those_of_the_loss(posts: list[tuple[str, str]]) -> None:
    texts, labels = zip(*posts, strict=True)
    hinge = LinearTextClassifier().fit(texts, labels)
    assert hinge.probability(np.array([-3, -0.5, 0, 1.0])).tolist() == [0, 0.25, 0.5, 1]
    logistic = LinearTextClassifier(loss="logistic", C=6).fit(texts, labels)
    assert np.allclose(logistic.predict_proba(texts)[:, 1], 1 / (1 + np.exp(-logistic.decision_function(texts))))
    with pytest.raises(ValueError, match="not 'hinge'"):
        LinearTextClassifier(loss="hinge").fit(texts, labels)  # type: ignore[arg-type]


@given(TEXTS, st.integers(0, 12))
def test_scores_do_not_depend_on_the_batch(model: bytes, texts: list[str], cut: int) -> None:
    whole = served(model, texts) if texts else np.zeros((0, 1))
    parts = [served(model, part) for part in (texts[:cut], texts[cut:]) if part]
    assert whole.tobytes() == b"".join(part.tobytes() for part in parts)
    assert not texts or np.isfinite(whole).all()


def test_scores_do_not_depend_on_how_much_is_looked_at_in_one_go(
    model: bytes, monkeypatch: pytest.MonkeyPatch, posts: list[tuple[str, str]]
) -> None:
    view = folded_view(Batch.of([text for text, _ in posts]))
    found = Classifier(load_model(model))
    whole = found.scores(view.codes, view.starts)
    for block in (1, 100, 1_000):
        monkeypatch.setattr(classifier, "BLOCK", block)
        assert (found.scores(view.codes, view.starts) == whole).all()


@pytest.mark.parametrize("heads", [1, 2, 3, 4, 6, 7, 13])
def test_any_number_of_heads_sums_exactly(heads: int) -> None:
    weights = np.random.default_rng(heads).integers(-LIMIT, LIMIT + 1, (heads, 1 << 10)).astype(np.int16)
    described = [Head(f"c{at}", "en", "random", {}) for at in range(heads)]
    model, _ = dump_model(described, weights, np.tile([1.0, 0.0, 1.0, 0.0], (heads, 1)), VERSION)
    texts = ["加我微信 abc", "x", "", "hello there " * 300, "shut up 😀"]
    view = folded_view(Batch.of(texts))
    found = Classifier(load_model(model)).sums(view.codes, view.starts)
    for row, text in enumerate(texts):
        alone = folded_view(Batch.of([text]))
        buckets = np.concatenate([each.bucket for each in grams(text_of(alone.codes, alone.starts), 10)] or [[]])
        assert found.sums[row].tolist() == weights[:, buckets.astype(int)].sum(axis=1).tolist()
        assert found.counts[row] == len(buckets)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("傻逼", "煞笔", "sound"),
        ("愚蠢", "魚唇", "sound"),
        ("STUPID", "ｓｔｕｐｉｄ", "letters"),
        ("stupid", "stuuuupid", "letters"),
        ("國家", "国家", "character"),
        ("sh\u200bit", "shit", "letters"),
        ("call 0900 1234", "call 0800 9876", "pair"),
    ],
)
def test_disguises_give_the_same_features(one: str, other: str, kind: str) -> None:
    assert kinds_of(one).get(kind) == kinds_of(other).get(kind)


def test_kinds_of_features() -> None:
    assert not kinds_of("hello 12")["sound"] and kinds_of("hello")["letters"]
    assert kinds_of("狗") != kinds_of("猫")
    assert not kinds_of("")["character"] and len(kinds_of("")["pair"]) == 1
    assert kinds_of("38") != kinds_of("39") and kinds_of("38")["pair"] == kinds_of("39")["pair"]
    # At each of the letters four and five; at the last two, which have no room, themselves and the next.
    assert len(kinds_of("abcdef")["letters"]) == 5 + 4 and len(kinds_of("abcdef")["pair"]) == 2
    assert kinds_of("good")["length"] == kinds_of("fine")["length"] != kinds_of("good" * 9)["length"]


def test_the_same_data_give_the_same_bytes(spam_csv: Path, model: bytes) -> None:
    assert train_model(tasks_of([spam_csv], Mapped()))[0] == model


def test_parquet_says_what_csv_says(spam_csv: Path, posts: list[tuple[str, str]], tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    texts, labels = zip(*posts, strict=True)
    parquet.write_table(arrow.table({"TEXT": texts, "label": labels}), tmp_path / "mail.parquet")
    one, other = read_labelled(spam_csv), read_labelled(tmp_path / "mail.parquet")
    assert (one.texts, one.labels) == (other.texts, other.labels)


def changed(model: bytes, name: str, content: bytes | None) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            kept = content if info.filename == name else old.read(info)
            if kept is not None:
                new.writestr(info.filename, kept)
    return made.getvalue()


def array(value: object) -> bytes:
    made = io.BytesIO()
    np.save(made, np.asarray(value), allow_pickle=True)
    return made.getvalue()


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was run",))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda m: b"", "not an .npz"),
        (lambda m: b"<html>404</html>", "not an .npz"),
        (lambda m: pickle.dumps({"a": 1}), "not an .npz"),
        (lambda m: m[: len(m) // 2], "damaged"),
        (lambda m: m[:2000] + bytes([m[2000] ^ 255]) + m[2001:], "damaged|SHA-256"),
        (lambda m: changed(m, "weights.npy", array(np.zeros((1, 1 << 18), np.int16))), "SHA-256"),
        (lambda m: changed(m, "numbers.npy", array([[0.01, 0.0, 9.0, 0.0]])), "SHA-256"),
        (lambda m: changed(m, "numbers.npy", array([[0.01, np.nan, 9.0, 0.0]])), "finite"),
        (lambda m: changed(m, "weights.npy", array(np.array([Bomb()], object))), "damaged"),
        (lambda m: changed(m, "weights.npy", array(np.full((1, 1 << 18), 2000, np.int16))), "beyond"),
        (lambda m: changed(m, "manifest.npy", array(np.frombuffer(b"{}", np.uint8))), "another format"),
        (lambda m: changed(m, "manifest.npy", array(np.frombuffer(b"[" * 99999, np.uint8))), "not JSON"),
        (lambda m: changed(m, "manifest.npy", None), "it holds"),
        (lambda m: changed(m, "weights.npy", b"x"), "damaged"),
    ],
)
def test_spoiled_models_are_refused(model: bytes, spoil: object, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        load_model(spoil(model))  # type: ignore[operator]


def test_a_model_of_other_features_is_refused(model: bytes) -> None:
    found = load_model(model)
    other, _ = dump_model(found.heads, found.weights, found.numbers, 999)
    with pytest.raises(ModelError, match="features 999"):
        Classifier(load_model(other))


def test_posts_of_the_test_are_kept_out_and_repeats_are_counted(spam_csv: Path, posts: list[tuple[str, str]]) -> None:
    task = tasks_of([spam_csv], Mapped())[0]
    twice = type(task)(task.category, task.language, task.definition, task.sources * 2)
    held = [text.upper() for text, _ in posts[:10]]
    _, _, (trained,) = train_model([twice], held)
    assert (trained.shared, trained.repeated, trained.used) == (20, 230, 230)


def test_two_heads_of_one_name_are_refused(spam_csv: Path) -> None:
    with pytest.raises(DumpError, match="2 heads would be spam/"):
        train_model(tasks_of([spam_csv, spam_csv], Mapped()))


def test_words_that_speak_of_the_harm_weigh_less(tmp_path: Path) -> None:
    """Four of five posts with `unfair` are labelled, of the others not even a third; nothing else tells them apart."""
    who = ["Anna", "Tom", "the neighbours", "my cat", "Kim", "a friend", "Lee"]
    rows = [f"unfair says {who[at % 7]} of {at},{int(at % 5 > 0)}" for at in range(100)]
    rows += [f"today says {who[at % 7]} of {at},{int(at % 10 > 6)}" for at in range(240)]
    path = tmp_path / "talk.csv"
    path.write_text("\n".join(["text,label", *rows]), "utf-8")
    plain = tasks_of([path], Mapped())[0]
    talks = replace(plain, talk=("UNFAIR",))
    (before, after) = (train_model([task])[2][0].estimator for task in (plain, talks))
    assert after.decision_function(["unfair says Kim"])[0] < before.decision_function(["unfair says Kim"])[0] - 0.1
    assert train_model([replace(plain, talk=("never said",))])[0] == train_model([plain])[0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "text,label\n", "no records"),
        ("a.csv", "words,kinds\nhi,1\n", "which column holds the text"),
        ("a.csv", "text,label\nhi,1\nho,1\n", "all 2 posts are labelled '1': two kinds are needed"),
        ("a.csv", "text,label\nhi,rude\nho,kind\n", "which labels are positive. Name them with --positive: kind, rude"),
        ("a.csv", "text,label\n,1\nhi,\n", "none of its 2 records has both `text` and `label`"),
        ("a.csv", "text,label\nhi,1\nho,0\n", "too few"),
        ("a.jsonl", '{"text": "hi"\n', "a.jsonl:1: this is not JSON"),
        ("a.jsonl", "[1]\n", "a record is an object"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(DumpError, match=says):
        train_model(tasks_of([path], Mapped()))


def test_labels_and_columns_are_found(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    rows = [{"Tweet": "hi", "class": 1.0, "topic": "x"}, {"Tweet": "", "class": 0}, {"Tweet": "ho", "class": False}]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = read_labelled(path, Mapped(groups=("topic",)))
    assert (found.texts, found.labels, found.skipped) == (("hi", "ho"), ("1", "false"), 1)
    assert found.groups == {"topic": ("x", "")}
