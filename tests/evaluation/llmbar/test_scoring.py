import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.llmbar.asking import judge_calls, judged_pairs
from evaluation.llmbar.files import score_files
from evaluation.llmbar.kappa import cohen_kappa
from evaluation.llmbar.reading import Judged, Pair, read_judged, read_pairs
from evaluation.llmbar.scoring import score_judges
from evaluation.statistics import mean_interval
from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.calls import Outcome

FIELDS = {
    "accuracy": "correct_average",
    "accuracy/given-order": "correct_False",
    "accuracy/swapped": "correct_True",
    "accuracy/both-orders": "correct_both",
    "orders_agree": "equal",
    "kappa": "kappa_average",
    "kappa/given-order": "kappa_False",
    "kappa/swapped": "kappa_True",
    "kappa/between-orders": "kappa_agreement",
}


def pairs_of(*labels, subset="Natural"):
    return {
        (subset, i): Pair((subset, i), f"task {i}", (f"one {i}", f"two {i}"), label)
        for i, label in enumerate(labels)
    }


def judged_of(labels, winners, subset="Natural"):
    return [
        Judged((subset, i), label, own, f"f, row {i + 1}")
        for i, (label, own) in enumerate(zip(labels, winners, strict=True))
    ]


LABELS = ["1", "2", "1", "2"]
WINNERS = [("1", "1"), ("1", "2"), ("2", "2"), ("2", "2")]


def test_accuracies_by_hand():
    scores = score_judges({"j": judged_of(LABELS, WINNERS)}, pairs=pairs_of(*LABELS))
    (own,) = scores.models
    values = {name: found.value for name, found in own.metrics.items()}
    assert values["accuracy"] == pytest.approx(62.5)
    assert values["accuracy/given-order"] == 50
    assert values["accuracy/swapped"] == 75
    assert values["accuracy/both-orders"] == 50
    assert values["orders_agree"] == 75
    assert values["accuracy/Natural"] == values["accuracy"]
    assert (own.n, own.score.clusters, own.missing) == (8, 4, 0)
    wanted = mean_interval([100, 100, 0, 100, 0, 0, 100, 100], list("00112233"), bounds=(0, 100))
    assert own.score.low == pytest.approx(wanted.low)


def test_no_verdict_is_missing_here_and_wrong_officially():
    winners = [("1", None), *WINNERS[1:]]
    own = score_judges({"j": judged_of(LABELS, winners)}, pairs=pairs_of(*LABELS)).models[0]
    assert own.score.value == pytest.approx(100 * 4 / 7)
    assert own.official["accuracy"].value == pytest.approx(50)
    assert (own.n, own.missing) == (7, 1)
    assert any("1 of 8 replies hold no verdict" in flag for flag in own.flags)
    empty = judged_of(LABELS, [(None, None)] * 4)
    with pytest.raises(UserError, match="none of its 4 pairs has a verdict"):
        score_judges({"j": empty}, pairs=pairs_of(*LABELS))


def test_what_is_refused():
    rows = judged_of(LABELS, WINNERS)
    with pytest.raises(UserError, match="j: 415 of 419 judged pairs are missing: Natural 4"):
        score_judges({"j": rows})
    with pytest.raises(UserError, match="j: 1 of 4 judged pairs are missing: Natural 0; --s"):
        score_judges({"j": rows[1:]}, pairs=pairs_of(*LABELS))
    own = score_judges({"j": rows[1:]}, pairs=pairs_of(*LABELS), allow_missing=True).models[0]
    assert (own.n, own.missing) == (6, 2)
    with pytest.raises(UserError, match="label of pair Natural 0 is 1, and 2 in the data"):
        score_judges({"j": rows}, pairs=pairs_of("2", "2", "1", "2"))
    with pytest.raises(UserError, match="pair Other 0 is not in LLMBar's data"):
        score_judges({"j": judged_of(["1"], [("1", "1")], "Other")}, allow_missing=True)


def row(i=0, label=1, one="1", other="1", **more):
    results = {"swap = False": {"winner": one}, "swap = True": {"winner": other}}
    return {"subset": "Natural", "i": i, "label": label, "results": results} | more


def write(path, rows):
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def test_both_forms_of_a_result_file(tmp_path):
    one = read_judged(write(tmp_path / "a.jsonl", [row(0), row(1, other=None)]))
    official = [{k: v for k, v in r.items() if k not in ("subset", "i")} for r in (row(0), row(1))]
    official = [r | {"results": [["a stage's text", "stop"], r["results"]]} for r in official]
    official[1]["results"][1]["swap = True"]["winner"] = None
    (tmp_path / "b.json").write_text(json.dumps(official))
    other = read_judged(tmp_path / "b.json", "Natural")
    assert [(j.key, j.label, j.winners) for j in one] == [
        (j.key, j.label, j.winners) for j in other
    ]
    with pytest.raises(UserError, match="names no subset"):
        read_judged(tmp_path / "b.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": 3}, "row 1: label must be 1 or 2"),
        ({"i": "x"}, "i must be the pair's number"),
        ({"i": "1" * 5000}, "i must be the pair's number"),
        ({"i": float("inf")}, "i must be the pair's number"),
        ({"results": None}, "results must be"),
        ({"results": {}}, "has no winner for 'swap = False'"),
        ({"results": {"swap = False": {"winner": "A"}}}, "must be 1, 2 or null, got 'A'"),
        ({"results": {"swap = False": {"winner": float("nan")}}}, "must be 1, 2 or null"),
    ],
)
def test_rows_that_are_refused(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        read_judged(write(tmp_path / "a.jsonl", [row() | change]))


def test_a_pair_that_stands_there_twice(tmp_path):
    with pytest.raises(UserError, match=r"pair Natural 0 was judged before, in .*row 1"):
        read_judged(write(tmp_path / "a.jsonl", [row(), row()]))


def test_names_of_judges(tmp_path):
    (tmp_path / "x").mkdir()
    paths = [write(tmp_path / "a.jsonl", [row()]), write(tmp_path / "x" / "a.jsonl", [row()])]
    with pytest.raises(InvalidSetting, match="two judges are called 'a'"):
        score_files(paths, allow_missing=True)
    found = score_files(paths, names=["p", "q"], allow_missing=True)
    assert [own.model for own in found.models] == ["p", "q"]
    with pytest.raises(UserError, match="cannot be read"):
        score_files([tmp_path / "none.jsonl"])
    with pytest.raises(InvalidSetting, match="2 files need as many names, got 1"):
        score_files(paths, names=["p"])
    with pytest.raises(UserError, match="is no subset of LLMBar"):
        score_files(paths, names=["p", "q"], subset="Naturel")


@given(st.lists(st.tuples(st.sampled_from("012"), st.sampled_from("012")), min_size=1))
def test_kappa_from_its_definition(pairs):
    first, second = zip(*pairs, strict=True)
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    chance = sum(first.count(c) / n * second.count(c) / n for c in "012")
    found = cohen_kappa(first, second)
    if found is None:
        assert chance == pytest.approx(1)
    else:
        assert found == pytest.approx((observed - chance) / (1 - chance), abs=1e-9)


def test_kappa_of_the_textbook():
    """Cohen (1960) on a table of 50 answers: 20, 5, 10, 15 give 0.4."""
    first = [1] * 25 + [0] * 25
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)


def test_a_judge_can_be_asked_and_measured():
    pairs = pairs_of(*LABELS)
    calls = list(judge_calls(pairs))
    assert len(calls) == 4
    pair, given, swapped = calls[1]
    text, other = given.messages[-1].content, swapped.messages[-1].content
    assert text.index("one 1") < text.index("two 1")
    assert other.index("two 1") < other.index("one 1")
    assert given.comparison.first == pair.outputs[0]

    def verdicts(call):
        """Prefers "two", cannot tell task 3."""
        if "task 3" in call.messages[-1].content:
            return Outcome(0.5)
        return Outcome(1.0 if call.comparison.first.startswith("two") else 0.0)

    rows = judged_pairs(pairs, verdicts)
    assert [own.winners for own in rows] == [("2", "2")] * 3 + [(None, None)]
    own = score_judges({"j": rows}, pairs=pairs, allow_missing=True).models[0]
    assert own.score.value == pytest.approx(100 / 3)
    assert own.missing == 2


@pytest.mark.shared_data
def test_the_official_statistics_are_reproduced(shared_data):
    folder = shared_data / "data" / "prefs" / "llmbar"
    names = ["GPT-4_Vanilla", "ChatGPT_Vanilla"]
    scores = score_files(
        [folder / f"{name}.jsonl.gz" for name in names], dataset=folder / "dataset.jsonl.gz"
    )
    for own in scores.models:
        wanted = json.loads((folder / f"{own.model}_statistics.json").read_text())
        assert len(wanted) == 5
        for subset, statistics in wanted.items():
            for name, field in FIELDS.items():
                text = str(statistics[field]).split("=")[-1].strip(" %")
                figure, _, rest = name.partition("/")
                key = f"{figure}/{subset}" + (f"/{rest}" if rest else "")
                found = own.official[key].value
                assert found == pytest.approx(float(text), abs=1e-12), (subset, field)
                if not name.startswith("kappa"):
                    assert own.metrics[key].value == pytest.approx(float(text))
        assert own.score.clusters == 419
    (difference,) = scores.comparisons
    assert difference.difference.value == pytest.approx(
        scores.models[0].score.value - scores.models[1].score.value
    )
    pairs = read_pairs(folder / "dataset.jsonl.gz")
    assert np.bincount([int(pair.label) for pair in pairs.values()]).sum() == 419
