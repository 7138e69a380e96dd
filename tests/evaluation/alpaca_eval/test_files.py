import itertools
import json

import numpy as np
import pytest

from evaluation.alpaca_eval import files as module
from evaluation.alpaca_eval import many
from evaluation.alpaca_eval.files import score_files
from evaluation.alpaca_eval.length_control import read_gamed
from evaluation.alpaca_eval.package import official_fit
from evaluation.data.files import BenchmarkFiles
from evaluation.statistics import mean_interval, p_value, paired_difference
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import sha256_file

LC = "length_controlled_win_rate"


@pytest.fixture(autouse=True)
def no_registry(monkeypatch):
    """Whatever benchmark data this machine has does not matter."""
    none = BenchmarkFiles("alpaca-eval", {})
    monkeypatch.setattr(module, "find_files", lambda *_: none)
    monkeypatch.setattr("evaluation.alpaca_eval.glm_files.find_files", lambda *_: none)


def write(world, *models):
    folder = world.folder / "annotations"
    folder.mkdir(exist_ok=True)
    for model in models:
        world.write(f"annotations/{model}.json", world.annotations(model))
    return folder


def test_several_models(world):
    folder = write(world, "mini", "maxi", "midi")
    scores = score_files([folder], [], world.reference)
    assert [own.model for own in scores.models] == ["maxi", "midi", "mini"]
    assert any("beside the reference" in note for note in scores.notes)
    assert any("reconstructed" in note for note in scores.notes)
    described = scores.describe()["models"]["mini"]
    assert described["score"] == described["length_controlled_win_rate"]
    assert described["low"] < described["score"] < described["high"]
    assert (described["n"], described["missing"]) == (60, 0)
    p = 100 * np.array([world.preference("mini", k) - 1 for k in range(60)])
    own = scores.models[2].metrics["win_rate"]
    assert own == mean_interval(p, bounds=(0, 100))
    control = described["details"]["length_control"]
    assert control["C"] in control["grid"]
    assert control["regulariser"] == "reconstructed"
    assert control["moves_over_neighbouring_C"] >= 0
    pairs = [(own.first, own.second) for own in scores.comparisons]
    assert pairs == list(itertools.combinations(["maxi", "midi", "mini"], 2))
    values = {own.model: own.score.value for own in scores.models}
    for own in scores.comparisons:
        assert own.difference.value == pytest.approx(values[own.first] - values[own.second])
        assert own.adjusted >= own.p_value
        assert own.difference.low < own.difference.value < own.difference.high
        assert (own.p_value < 0.05) == (not own.difference.low <= 0 <= own.difference.high)


def test_a_model_against_itself_does_not_differ(world):
    write(world, "mini")
    twin = [row | {"generator_2": "twin"} for row in world.annotations("mini")]
    world.write("annotations/twin.json", twin)
    (pair,) = score_files([world.folder / "annotations"], [], world.reference).comparisons
    assert (pair.difference.value, pair.difference.low, pair.p_value) == (0.0, None, None)


def test_without_length_control_win_rates_are_the_headline(world):
    (world.glm / "df_gamed.csv").unlink()
    scores = score_files([write(world, "mini", "maxi")], [], world.reference)
    assert [own.headline for own in scores.models] == ["win_rate"] * 2
    assert scores.describe()["models"]["mini"]["length_controlled_win_rate"] is None
    assert any(
        "no length-controlled win rate: df_gamed.csv was not found" in n for n in scores.notes
    )
    a, b = ([100 * (world.preference(m, k) - 1) for k in range(60)] for m in ("maxi", "mini"))
    (pair,) = scores.comparisons
    assert pair.difference.low == pytest.approx(paired_difference(a, b).low)
    assert pair.p_value == pytest.approx(p_value(np.subtract(a, b)))


def test_without_outputs_there_is_no_length_control(world):
    names = ("instruction", "generator_2", "annotator", "preference")
    rows = [{name: row[name] for name in names} for row in world.annotations("mini")]
    path = world.write("a.json", rows)
    scores = score_files([path], [], world.reference)
    (own,) = scores.models
    assert own.headline == "win_rate"
    assert scores.describe()["models"]["mini"]["length_controlled_win_rate"] is None
    assert "--outputs" in own.details["length_control"]["why_not"]
    assert any("no length-controlled win rate" in f and "--outputs" in f for f in own.flags)
    assert not any("length control" in note for note in scores.notes)
    folder = write(world, "maxi")
    scores = score_files([path, folder], [], world.reference)
    assert [own.headline for own in scores.models] == ["win_rate", "length_controlled_win_rate"]
    assert any("length control with the files" in note for note in scores.notes)
    assert [own.metric for own in scores.comparisons] == ["win_rate"]


def numbered(world, model, absent):
    """As an official run over fewer instructions numbers its rows: by their place in the file."""
    rows = [row | {"index": k} for k, row in enumerate(world.annotations(model)) if k not in absent]
    return [row | {"row": k} for k, row in enumerate(rows)]


def by_position(world, rows):
    """The package's figure for a file of these rows."""
    found = official_fit(
        np.array([row["preference"] for row in rows]),
        np.array([len(row["output_1"]) for row in rows]),
        np.array([len(row["output_2"]) for row in rows]),
        world.glm / "df_gamed.csv",
    )
    return pytest.approx(found.value, abs=1e-9)


def test_absent_rows_shift_the_official_figure_only(world):
    rows = world.annotations("mini")
    del rows[3]
    path = world.write("a.json", rows)
    with pytest.raises(UserError, match="1 of 60 annotations are missing"):
        score_files([path], [], world.reference)
    scores = score_files([path], [], world.reference, allow_missing=True)
    (own,) = scores.models
    difficulty = read_gamed(world.glm / "df_gamed.csv").by_instruction
    _, tilt, constant = own.details["length_control"]["weights"]
    kept = np.delete(difficulty, 3)
    assert own.score.value == pytest.approx(
        100 * np.mean(1 / (1 + np.exp(-constant - tilt * kept))), abs=1e-9
    )
    assert own.official[LC].value == by_position(world, rows)
    assert own.official[LC].value != own.score.value
    assert "row's position" in own.official[LC].rule
    assert own.details["length_control_by_position"]["C"] > 0
    assert f"{LC}/true_index" not in own.metrics
    assert any("by a row's position" in flag for flag in own.flags)
    assert any("rows missing: mini 1 of 60" in note for note in scores.notes)


def test_a_file_that_numbers_its_own_rows_keeps_the_boards_figure(world):
    """Rows numbered without a gap although instructions are absent: so the board counted them."""
    rows = numbered(world, "mini", {3, 40})
    path = world.write("a.jsonl", rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (own,) = score_files([path], [], world.reference, allow_missing=True).models
    assert own.headline == LC
    assert own.score.value == by_position(world, rows)
    assert own.official[LC].value == own.score.value
    for row in rows:
        del row["row"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (plain,) = score_files([path], [], world.reference, allow_missing=True).models
    assert own.metrics[f"{LC}/true_index"] == plain.score  # value and interval
    assert own.score.low != plain.score.low
    (flag,) = [flag for flag in own.flags if "true_index" in flag]
    assert f"{own.score.value:.2f}" in flag
    assert f"{plain.score.value:.2f}" in flag


@pytest.mark.parametrize("also", [set(), {17}])
def test_a_row_taken_out_of_a_numbered_file_does_not_count_by_position(world, also):
    rows = numbered(world, "mini", also)
    (own,) = score_files(
        [world.write("a.json", rows[1:])], [], world.reference, allow_missing=True
    ).models
    for row in rows:
        del row["row"]
    (plain,) = score_files(
        [world.write("b.json", rows[1:])], [], world.reference, allow_missing=True
    ).models
    assert own.score == plain.score
    assert own.official[LC].value == by_position(world, rows[1:]) != own.score.value


def test_absent_rows_at_the_end_shift_nothing(world):
    rows = world.annotations("mini")[:-2]
    (own,) = score_files(
        [world.write("a.json", rows)], [], world.reference, allow_missing=True
    ).models
    assert own.official[LC].value == own.score.value
    assert not any("position" in flag for flag in own.flags)


def test_differences_are_of_figures_by_each_rows_own_instruction(world):
    mini = world.write("a.json", numbered(world, "mini", {3, 40}))
    maxi = world.write("b.json", world.annotations("maxi"))
    scores = score_files([mini, maxi], [], world.reference, allow_missing=True)
    one, other = scores.models
    (pair,) = scores.comparisons
    assert pair.metric == f"{LC}/true_index"
    assert pair.difference.value == pytest.approx(
        one.metrics[f"{LC}/true_index"].value - other.score.value
    )
    assert pair.difference.value != pytest.approx(one.score.value - other.score.value)


@pytest.mark.slow
def test_several_processes_find_what_one_does(world, monkeypatch):
    monkeypatch.setattr(many, "LEAST", 1)
    folder = write(world, "mini", "maxi", "midi")
    one, two = (
        score_files([folder], [], world.reference, replicates=50, jobs=jobs) for jobs in (1, 2)
    )
    assert one.json() == two.json()
    with pytest.raises(InvalidSetting, match="jobs"):
        score_files([folder], [], world.reference, jobs=0)


def test_published_weights(world):
    weights = world.folder / "w.csv"
    weights.write_text(",t,d,c\nmini,-0.5,0.7,-0.3\n")
    (own,) = score_files(
        [world.write("a.json", world.annotations("mini"))], [], world.reference, weights=weights
    ).models
    d = np.loadtxt(world.glm / "instruction_difficulty.csv", delimiter=",", skiprows=1)[:, 1]
    wanted = 100 * np.mean(1 / (1 + np.exp(0.3 - 0.7 * d)))
    found = own.official["length_controlled_win_rate/published_weights"].value
    assert found == pytest.approx(wanted, abs=1e-12)
    weights.write_text(",t,d,c\nmini,-0.5,0.7\n")
    with pytest.raises(UserError, match="row 1: must be a model and three weights"):
        score_files([world.folder / "a.json"], [], world.reference, weights=weights)


def test_files_that_do_not_go_together(world):
    folder = write(world, "mini", "maxi")
    with pytest.raises(InvalidSetting, match="at least one file"):
        score_files([], [], world.reference)
    with pytest.raises(UserError, match="is of 'mini', and so is"):
        score_files([folder, folder / "mini.json"], [], world.reference)
    stranger = world.write("o.json", [{"index": 0, "output": "x", "generator": "stranger"}])
    with pytest.raises(UserError, match="outputs of 'stranger'"):
        score_files([folder], [stranger], world.reference)
    other = [row | {"annotator": "other"} for row in world.annotations("midi")]
    with pytest.raises(UserError, match="one judge at a time"):
        score_files([folder, world.write("b.json", other)], [], world.reference)
    with pytest.raises(InvalidSetting, match="no such folder"):
        score_files([folder], [], world.reference, glm=world.folder / "nowhere")
    with pytest.raises(UserError, match=r"holds no df_gamed.csv"):
        score_files([folder], [], world.reference, glm=folder)


def test_a_regulariser_of_another_benchmark_is_not_used(world):
    rows = json.loads(world.reference.read_text())
    rows.append(rows[0] | {"instruction": "One more?"})
    scores = score_files(
        [write(world, "mini")], [], world.write("r.json", rows), glm=world.glm, allow_missing=True
    )
    assert any("is of 60 instructions, the reference has 61" in note for note in scores.notes)


def test_the_seed_decides(world):
    folder = write(world, "mini")
    one, same, other = (
        score_files([folder], [], world.reference, seed=seed).models[0].score for seed in (0, 0, 1)
    )
    assert one == same
    assert one.value == other.value
    assert one.low != other.low


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_very_few_rows(world, count):
    """Whatever can be said is said, and the file stays valid JSON."""
    rows = world.annotations("mini")[:count]
    scores = score_files([world.write("a.json", rows)], [], world.reference, allow_missing=True)
    (own,) = scores.models
    assert (own.n, own.missing) == (count, world.size - count)
    assert "NaN" not in scores.json()
    if count < 3:
        assert own.score.low is None or own.score.low <= own.score.value


def test_hashes_of_a_models_files(world):
    path = world.write("a.json", world.annotations("mini"))
    (own,) = score_files([path], [], world.reference).models
    assert own.details["hashes"] == {"annotations": sha256_file(path)}
