import gzip
import hashlib
import json

import numpy as np
import pytest

from evaluation.arena_hard.answers_file import read_answers
from evaluation.arena_hard.style import (
    APPROXIMATE,
    Style,
    differences_v01,
    differences_v20,
    markdown_counts,
    markdown_kinds,
    token_counter,
)
from evaluation.arena_hard.style_counts import count_styles
from mnpo.errors import UserError


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", (0, 0, 0)),
        ("# One\n## Two\n####### none\n#none", (2, 0, 0)),
        ("1. a\n 2. b\n- c\n* d\n+ e\n-f", (0, 5, 0)),
        ("**a** and __b__ and **c\nd** and ** e **", (0, 0, 3)),
        ("```\n# code\n- code\n```\n# text", (1, 0, 0)),
        # What a fence holds is taken out elsewhere too, line ends and all.
        ("```\n# same\n```\n# same\n\n# other", (1, 0, 0)),
        ("```\n# same\n```\n# same\n# other", (0, 0, 0)),
    ],
)
def test_markdown_is_counted(text, counts) -> None:
    assert markdown_counts(text) == counts


@pytest.mark.shared_data
def test_the_counts_stored_with_the_official_baseline_are_found_again(shared_data) -> None:
    path = shared_data / "data/arena_hard/v2.0/answers_o3-mini-2025-01-31.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert len(rows) == 750
    for row in rows:
        stored = {k: v for k, v in row["metadata"].items() if k != "token_len"}
        assert markdown_kinds(row["messages"][-1]["content"]["answer"]) == stored


def test_differences_by_hand() -> None:
    model, baseline = np.array([300.0, 2, 0, 5]), np.array([100.0, 0, 4, 5])
    np.testing.assert_allclose(differences_v01(model, baseline), [200 / 401, 2 / 3, -4 / 5, 0.0])
    a, b = model[1:] / 300, baseline[1:] / 100
    np.testing.assert_allclose(differences_v20(model, baseline), [0.5, *((a - b) / (a + b + 1))])


def test_empty_answers_have_a_style() -> None:
    zero, one = np.zeros(4), np.array([10.0, 1, 0, 0])
    np.testing.assert_array_equal(differences_v20(zero, zero), np.zeros(4))
    assert differences_v20(zero, one)[0] == -1.0


def test_without_the_tokenizer_words_are_counted_and_it_is_said(monkeypatch) -> None:
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    count, name = token_counter()
    assert name == APPROXIMATE
    assert count("Don't stop, now.") == 7
    assert count("") == 0


def test_a_tokenizer_on_this_machine_is_used(monkeypatch, tmp_path) -> None:
    import tiktoken

    from evaluation.arena_hard import style

    assert (
        hashlib.sha1(
            b"https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
        ).hexdigest()
        == style._CACHED
    )
    (tmp_path / style._CACHED).write_text("a stand-in")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))

    class Letters:
        def encode(self, text, disallowed_special):
            assert disallowed_special == ()
            return list(text)

    monkeypatch.setattr(tiktoken, "get_encoding", {"o200k_base": Letters()}.__getitem__)
    count, name = token_counter()
    assert (count("abc"), name) == (3, "")


def answers(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_answers_of_both_formats(tmp_path) -> None:
    old = {
        "question_id": "q",
        "model_id": "old",
        "choices": [{"turns": [{"content": "# hi", "token_len": 9}]}],
    }
    new = {
        "uid": "q",
        "model": "new",
        "messages": [{"role": "assistant", "content": {"answer": "hi"}}],
        "metadata": {
            "token_len": 2,
            "header_count": {"h1": 3, "h2": 1},
            "list_count": {"ordered": 0},
            "bold_count": {"**": 5},
        },
    }
    plain = {"uid": "q", "model": "plain", "messages": [{"role": "assistant", "content": "hi"}]}
    found = read_answers([answers(tmp_path / "a.jsonl", [old, new, plain])])
    assert found["old"]["q"].style == Style(9, 1, 0, 0)
    assert found["new"]["q"].style == Style(2, 4, 0, 5)
    assert found["plain"]["q"].style is None
    marked = new | {"token_counter": "words"}
    assert read_answers([answers(tmp_path / "b.jsonl", [marked])])["new"]["q"].style is None


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"uid": "q", "model": "m"}, "has neither messages nor choices"),
        ({"uid": "q", "model": "m", "messages": []}, "the last message has no answer"),
        ({"uid": "q", "model": "m", "choices": [{"turns": [{}]}]}, "has neither messages nor"),
        (
            {
                "uid": "q",
                "model": "m",
                "messages": [{"content": "x"}],
                "metadata": {"token_len": -1},
            },
            "token_len is no count: -1",
        ),
    ],
)
def test_bad_answers_are_refused(tmp_path, row, says) -> None:
    with pytest.raises(UserError, match=says):
        read_answers([answers(tmp_path / "a.jsonl", [row])])


def test_a_question_answered_twice_is_refused(tmp_path) -> None:
    row = {"uid": "q", "model": "m", "messages": [{"content": "x"}]}
    with pytest.raises(UserError, match="row 2: m answers question q twice"):
        read_answers([answers(tmp_path / "a.jsonl", [row, row])])


def test_tokens_are_counted_alike_for_all_or_for_none(
    tmp_path, arena, table_of, monkeypatch
) -> None:
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    table = table_of(arena(models=1, questions=2))

    def row(model, question, tokens):
        stored = {} if tokens is None else {"metadata": {"token_len": tokens}}
        return {"uid": question, "model": model, "messages": [{"content": "one two"}]} | stored

    full = [row(m, q, 50) for m in ("m0", "gpt-4-0314") for q in ("q0", "q1")]
    counts = count_styles(table, read_answers([answers(tmp_path / "a.jsonl", full)]))
    assert counts.counter == ""
    assert counts.models[0, 0, 0] == counts.baseline[0, 0] == 50
    partly = [*full[:3], row("gpt-4-0314", "q1", None)]
    counts = count_styles(table, read_answers([answers(tmp_path / "b.jsonl", partly)]))
    assert counts.counter == APPROXIMATE
    assert (counts.models[0, :, 0] == 2).all()
    assert (counts.baseline[:, 0] == 2).all()
    with pytest.raises(UserError, match="answers of gpt-4-0314 to all judged questions, 1 of 2"):
        count_styles(table, read_answers([answers(tmp_path / "c.jsonl", full[:3])]))
