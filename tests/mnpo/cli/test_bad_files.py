"""Matrices, configurations and output folders that cannot be used."""

import json

import numpy as np
import pytest

NOISY = "p,a,b,c\na,.5,.7,.2\nb,.4,.5,.1\nc,.8,.9,.5\n"
MISSING = "p,a,b,c\na,.5,,.2\nb,,.5,.1\nc,.8,.9,.5\n"

MATRICES = [
    ("p,a,b\na,.5,.6\n", "'b' is among the columns but not among the rows"),
    (
        "p,a,b\na,.5,1.6\nb,-.6,.5\n",
        "'a' against 'b' is 1.6; a win-fraction with scale=1 runs from 0",
    ),
    ("p,a,b,c\na,.5,1.7,.2\nb,.3,.5,.1\nc,.8,.9,.5\n", "'a' against 'b' is 1.7"),
    (NOISY, "'a' against 'b' is 0.7 and of 'b' against 'a' 0.4; their sum is 1.1, must be 1"),
    ("p,a,b,c\na,.5,nan,.2\nb,nan,.5,.1\nc,.8,.9,.5\n", "'a' against 'b'; fill them with"),
    ("p,a,b\na,.5,inf\nb,.5,.5\n", "line 2, column 'b': 'inf' is not a finite number"),
    ("p,a,b\na,.5,good\nb,.5,.5\n", "line 2, column 'b': 'good' is not a finite number"),
    (MISSING, "1 of 3 pairs have no preference: 'a' against 'b'; fill them with fill_missing="),
    ("", "the file is empty"),
]

YAML = [
    ("gamme: cyclic\n", "study.yaml: unknown key 'gamme'; did you mean 'game'?"),
    ("1: 2\n", "study.yaml: unknown key '1'; known: algorithm_parameters,"),
    ("game: [\n", "--config study.yaml is not YAML: line 2: "),
    ("game: cyclic\n iterations: 3\n", "--config study.yaml is not YAML: line 2: "),
    ("game: a\tb: c\n\t- x", "--config study.yaml is not YAML: line "),
    ("- game\n", "must hold keys and values"),
    ("", "must hold keys and values"),
    ("iterations: ten\n", "study.yaml: iterations must be a whole number, got 'ten'"),
    ("iterations: 1.5\n", "study.yaml: iterations must be a whole number"),
    ("seeds: 0\n", "study.yaml: seeds must be at least 1, got 0"),
    ("algorithms: inpo\n", "study.yaml: algorithms must be a list, got 'inpo'"),
    ("algorithms: []\n", "study.yaml: algorithms: give at least one algorithm"),
    ("parameters: 3\n", "study.yaml: parameters must be a mapping, got 3"),
    ("algorithm_parameters: {inpo: 3}\n", "algorithm_parameters.inpo must be a mapping, got 3"),
    ("sweep: {step_size: 3}\n", "study.yaml: sweep.step_size must be a list, got 3"),
    ("sweep: {step_size: []}\n", "sweep over 'step_size' has no values"),
    ("sweep: {seed: [1, 2]}\n", "cannot sweep 'seed'"),
    ("reference: skwed\n", "study.yaml: reference must be auto, uniform or skewed, or one"),
    ("reference: [0.5, 0.5, x]\n", "study.yaml: reference must be auto, uniform or skewed, or"),
    ("initial: there\n", "study.yaml: initial must be reference or random, or one probability"),
    ("step_size: .nan\n", "step_size must be above 0 and finite, got nan"),
    ("temperature: warm\n", "study.yaml: temperature must be a number, got 'warm'"),
    ("parameters: {etta: 1}\n", "no algorithm of this run reads 'etta'; did you mean 'eta'?"),
    ("parameters: {temperature: 1}\n", "'temperature' belongs to the whole run"),
    ("game_parameters: {actons: 3}\n", "has no parameter 'actons'; did you mean 'actions'?"),
    ("algorithm_parameters: {inpoo: {eta: 1}}\n", "'inpoo' is not among the algorithms"),
    ("keep_policies: sometimes\n", "study.yaml: keep_policies must be"),
]


@pytest.mark.parametrize(("text", "said"), MATRICES, ids=[case[1] for case in MATRICES])
def test_matrices(refused, tmp_path, text, said) -> None:
    (tmp_path / "wins.csv").write_text(text)
    line = refused("--game", "file:wins.csv")
    assert line.startswith("wins.csv")
    assert said in line


def test_a_matrix_that_is_not_square(refused, tmp_path) -> None:
    np.save(tmp_path / "wins.npy", np.full((3, 2), 0.5))
    assert "shape (3, 2); a game is (K, K)" in refused("--game", "file:wins.npy")


def test_a_file_that_is_no_text(refused, tmp_path) -> None:
    (tmp_path / "wins.csv").write_bytes(b"\xff\xfe\x00\x01")
    assert refused("--game", "file:wins.csv").startswith("wins.csv")


def test_missing_pairs_can_be_filled_as_the_message_says(bench, tmp_path) -> None:
    (tmp_path / "wins.csv").write_text(MISSING)
    common = ("simulate", "--game", "file:wins.csv", "--algorithms", "mwu", "--iterations", 2)
    for fill in ("fill_missing=bradley-terry", "fill_missing=half", "drop_missing=true"):
        outcome = bench(*common, "--set", fill, "--output", fill)
        assert outcome.code == 0, outcome.err


def test_noisy_matrices_can_be_averaged_as_the_message_says(bench, tmp_path) -> None:
    (tmp_path / "wins.csv").write_text(NOISY)
    common = ("simulate", "--game", "file:wins.csv", "--algorithms", "mwu", "--iterations", 2)
    refused = bench(*common, "--output", "out")
    assert "antisymmetrize=true" in refused.err
    assert bench(*common, "--set", "antisymmetrize=true", "--output", "out").code == 0


@pytest.mark.parametrize(("text", "said"), YAML, ids=[case[0].strip() for case in YAML])
def test_configurations(refused, tmp_path, text, said) -> None:
    (tmp_path / "study.yaml").write_text(text)
    assert said in refused("--config", "study.yaml")


def test_a_configuration_that_is_no_text(refused, tmp_path) -> None:
    (tmp_path / "study.yaml").write_bytes(b"\xff\xfe\x00\x01")
    assert "--config study.yaml is not YAML" in refused("--config", "study.yaml")


def test_the_option_is_blamed_for_the_options_mistake(refused, tmp_path) -> None:
    (tmp_path / "study.yaml").write_text("seeds: 2\n")
    assert refused("--config", "study.yaml", "--seeds", 0).startswith("--seeds must be")


def test_output_that_is_a_file(refused, tmp_path) -> None:
    (tmp_path / "taken").write_text("mine")
    assert refused("--output", "taken") == "taken is a file; give a folder to write the run into"
    assert "cannot write taken/run" in refused("--output", "taken/run")


def test_output_that_holds_something_else(refused, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    said = "out is not empty and holds no run; give another --output folder"
    assert refused("--reference", "uniform") == said
    assert refused("--reference", "uniform", "--overwrite") == said  # what is not ours stays


def test_output_that_holds_another_run(bench, refused, tmp_path) -> None:
    common = ("simulate", "--iterations", 5, "--output", "out", "--algorithms", "mwu")
    assert bench(*common).code == 0
    before = (tmp_path / "out" / "summary.csv").read_bytes()
    said = refused("--algorithms", "mwu", "--step-size", 0.25)
    assert said == (
        "out holds a run with step_size: 0.5, not 0.25; give another --output folder, or "
        "--overwrite"
    )
    assert bench(*common, "--step-size", 0.25, "--overwrite").code == 0
    assert (tmp_path / "out" / "summary.csv").read_bytes() != before
    assert bench(*common, "--step-size", 0.25).code == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("manifest.json", b"", "manifest.json cannot be read"),
        ("manifest.json", b'{"format": 1, "conf', "manifest.json cannot be read"),
        ("manifest.json", b"\xff\xfe", "manifest.json cannot be read"),
        ("manifest.json", b"[1, 2]", "manifest.json is not a manifest"),
        ("run.yaml", b"game: [", "run.yaml cannot be read"),
        ("run.yaml", b"\xff\xfe", "run.yaml cannot be read"),
        ("run.yaml", b"", "run.yaml cannot be read"),
    ],
)
def test_a_damaged_run(bench, refused, tmp_path, name, content, said) -> None:
    common = ("simulate", "--iterations", 5, "--output", "out", "--algorithms", "mwu")
    assert bench(*common).code == 0
    whole = (tmp_path / "out" / "summary.csv").read_bytes()
    (tmp_path / "out" / name).write_bytes(content)
    line = refused("--algorithms", "mwu")
    assert said in line
    assert "--overwrite" in line
    assert bench(*common, "--overwrite").code == 0
    assert (tmp_path / "out" / "summary.csv").read_bytes() == whole


def test_a_run_of_a_later_format(bench, refused, tmp_path) -> None:
    assert bench("simulate", "--iterations", 5, "--output", "out", "--algorithms", "mwu").code == 0
    file = tmp_path / "out" / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    line = refused("--algorithms", "mwu")
    assert "out was written in format 99, this version writes 1" in line
