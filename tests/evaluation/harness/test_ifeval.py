"""IFEval through lm-eval's own checks, with and without the tokenizer data they need."""

import sys

import pytest
from harness_data import write_lines

from evaluation.harness.offline.score import score_outputs
from evaluation.harness.planning import HarnessSettings, plan
from evaluation.harness.suite import chosen
from mnpo.errors import UserError

DOCUMENTS = [
    {
        "key": 1,
        "prompt": "Write of soup without commas, and say rain.",
        "instruction_id_list": ["punctuation:no_comma", "keywords:existence"],
        "kwargs": [{}, {"keywords": ["rain"]}],
    },
    {
        "key": 2,
        "prompt": "Write fewer than five sentences of rain.",
        "instruction_id_list": ["length_constraints:number_sentences"],
        "kwargs": [{"relation": "less than", "num_sentences": 5}],
    },
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    import nltk

    monkeypatch.setattr(nltk.data, "path", [])
    monkeypatch.setattr(nltk, "download", lambda *_, **__: pytest.fail("asked for a download"))
    nltk.data.clear_cache()
    for name in [own for own in sys.modules if own.startswith("lm_eval.tasks.ifeval")]:
        monkeypatch.delitem(sys.modules, name)
    write_lines(tmp_path / "ifeval/input_data.jsonl", DOCUMENTS)
    return tmp_path


def test_what_cannot_be_checked_is_left_out_and_counted(folder):
    (own,) = plan(chosen(["ifeval"]), HarnessSettings(folder))
    assert (own.documents, own.unscorable) == (1, 1)
    assert "punkt_tab" in " ".join(own.labels)
    (own,) = plan(chosen(["ifeval"]), HarnessSettings(folder, limit=1))
    assert (own.documents, own.unscorable) == (1, 0)


def test_stored_answers(folder, tmp_path):
    rows = [
        {"prompt": DOCUMENTS[0]["prompt"], "response": "Soup is warm, like rain."},
        {"prompt": DOCUMENTS[1]["prompt"], "response": "Rain falls."},
    ]
    path = write_lines(tmp_path / "out.jsonl", rows)
    with pytest.raises(UserError, match="1 of 2 documents are missing"):
        score_outputs("ifeval", path, data=folder)
    (own,) = score_outputs("ifeval", path, data=folder, allow_missing=True).models
    assert own.metrics["accuracy"].value == 0.0
    assert own.metrics["accuracy/instruction-strict"].value == 50.0
    assert own.metrics["accuracy/instruction-strict"].clusters == 1
    assert own.missing == 1
