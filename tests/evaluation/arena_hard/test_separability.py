import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.arena_hard.separability import agreement, separability
from mnpo.errors import InvalidSetting

PUBLISHED = [
    ("arena_hard", "Arena Hard", 28, 76),
    ("mt_bench", "MT Bench", 25, 197),
    ("alpaca", "Alpaca 2.0", 20, 55),
    ("alpaca_LC", "Alpaca 2.0 LC", 20, 23),
    ("20k_votes", "Chatbot Arena (20K votes)", 20, 59),
]


def published_intervals(shared_data, name):
    path = shared_data / f"data/arena_hard/separability/bootstrap_stats_{name}.jsonl.gz"
    rows = map(json.loads, gzip.decompress(path.read_bytes()).decode().splitlines())
    return {row["model"]: (row["lower"], row["upper"]) for row in rows}


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "label", "models", "overlapping"), PUBLISHED)
def test_published_counts(shared_data, name, label, models, overlapping) -> None:
    found = separability(list(published_intervals(shared_data, name).values()))
    assert (found.overlapping, found.pairs) == (overlapping, models * (models - 1) // 2)
    file = shared_data / "data/arena_hard/separability/published_separability.json"
    (row,) = {
        (own["overlap_pairs"], round(own["confidence_pct"], 2))
        for own in json.loads(file.read_text())
        if own["label"] == label and own["models"] == models and own["overlap_pairs"] == overlapping
    }
    assert row == (overlapping, round(100 * found.share, 2))


intervals = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 10)).map(lambda x: (x[0], x[0] + x[1])), max_size=9
)


@given(intervals)
def test_as_pair_by_pair(given) -> None:
    found = separability(given)
    naive = 0
    for i, a in enumerate(given):
        for b in given[i + 1 :]:
            first, second = sorted([a, b])
            naive += second[0] < first[1]
    assert found.overlapping == naive
    assert found.pairs == len(given) * (len(given) - 1) // 2


def test_touching_intervals_are_told_apart() -> None:
    assert separability([(0, 1), (1, 2)]).share == 1.0
    assert separability([(0, 1.1), (1, 2)]).share == 0.0
    assert np.isnan(separability([(0, 1)]).share)
    assert separability([]).describe() == {"pairs": 0, "overlapping": 0, "separated": None}


@pytest.mark.parametrize("bad", [(1.0, 0.0), (0.0, float("nan")), (float("-inf"), 1.0)])
def test_what_is_no_interval_is_refused(bad) -> None:
    with pytest.raises(InvalidSetting, match="is none"):
        separability([(0.0, 1.0), bad])


def test_agreement_counts_certain_pairs() -> None:
    ours = {"a": (0, 1), "b": (2, 3), "c": (2.5, 4), "only": (9, 10)}
    people = {"a": (5, 6), "b": (2, 3), "c": (7, 8)}
    found = agreement(ours, people)
    assert (found.pairs, found.same, found.opposite, found.open) == (3, 1, 1, 1)
    assert found.score == 0.0


@pytest.mark.shared_data
def test_arena_hard_never_contradicts_the_votes(shared_data) -> None:
    names = json.loads(
        (shared_data / "data/arena_hard/separability/arena_to_arena_hard.json").read_text()
    )
    people = published_intervals(shared_data, "20k_votes")
    votes = {names.get(model, model): own for model, own in people.items()}
    found = agreement(published_intervals(shared_data, "arena_hard"), votes)
    assert found.pairs >= 66
    assert found.opposite == 0
    assert found.score > 0.7
