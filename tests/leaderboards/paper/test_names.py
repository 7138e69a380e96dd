"""Which spellings mean one judge or one base model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboards.paper.names import canonical, same
from leaderboards.paper.printed import PAPERS, load_paper


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GPT-5-mini", "gpt5-mini-aug7-2025"),
        ("gpt-5-mini", "GPT-5-mini"),
        ("GPT-4 Turbo (1106)", "gpt-4-1106-preview"),
        ("weighted_alpaca_eval_gpt4_turbo", "GPT-4-1106-preview"),
    ],
)
def test_judges_of_one_name(first: str, second: str) -> None:
    assert same("judges", first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GPT-5-mini", "GPT-5"),
        ("GPT-4.1", "GPT-4"),
        ("GPT-4 Turbo (1106)", "GPT-4 Turbo (04/09)"),
        ("", ""),
        ("", "GPT-5-mini"),
    ],
)
def test_judges_of_two(first: str, second: str) -> None:
    assert not same("judges", first, second)


def test_models() -> None:
    assert same("models", "google/gemma-2-9b-it", "Gemma-2-9B-it")
    assert not same("models", "google/gemma-2-9b", "Gemma-2-9B-it")
    assert not same("models", "/home/somebody/gemma-2-9b-it", "Gemma-2-9B-it")
    assert not same("models", "LLaMA-3.1-8B-it", "Llama-3-8B-it")


def test_names_of_the_base_models_of_papers_meet_their_hub_ids() -> None:
    bases = {own.base for name in PAPERS for own in load_paper(name).figures if own.base}
    known = {
        "google/gemma-2-9b-it",
        "meta-llama/Meta-Llama-3-8B-Instruct",
        "mistralai/Mistral-7B-Instruct-v0.2",
        "RLHFlow/LLaMA3-SFT",
    }
    assert {canonical("models", base) for base in bases} == {
        canonical("models", name) for name in known
    }


@given(st.text(), st.text())
def test_same_is_symmetric_and_reflexive_but_for_nothing(first: str, second: str) -> None:
    assert same("models", first, second) == same("models", second, first)
    assert same("models", first, first) == bool(first.strip())
