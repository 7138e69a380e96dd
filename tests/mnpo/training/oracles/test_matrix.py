import json

import numpy as np
import pytest

from mnpo.errors import InvalidSetting
from mnpo.training.oracles.base import OracleFailure
from mnpo.training.oracles.build import build_oracle
from mnpo.training.oracles.matrix import MatrixOracle
from mnpo.training.oracles.settings import MatrixSettings

ACTIONS = ("rock", "paper", "scissors")
RPS = [[0.5, 0.1, 0.9], [0.9, 0.5, 0.1], [0.1, 0.9, 0.5]]


def test_responses_play_their_actions(ask) -> None:
    oracle = MatrixOracle(ACTIONS, RPS)
    (p,) = oracle.compare([ask("q", "scissors", "rock", "scissors")])
    assert p == pytest.approx(np.array([[0.5, 0.1, 0.5], [0.9, 0.5, 0.9], [0.5, 0.1, 0.5]]))


def test_an_unknown_text_is_a_failure_with_the_nearest_action(ask) -> None:
    with pytest.raises(OracleFailure, match=r"response 'rock ' is none of its 3.*mean 'rock'"):
        MatrixOracle(ACTIONS, RPS).compare([ask("q", "rock", "rock ")])


def test_the_matrix_comes_from_settings_file_or_game(tmp_path, ask) -> None:
    question = [ask("q", *ACTIONS)]
    (tmp_path / "m.json").write_text(json.dumps({"matrix": RPS}))
    np.save(tmp_path / "m.npy", np.array(RPS))
    np.savetxt(tmp_path / "m.csv", np.array(RPS), delimiter=",")
    asked = []

    def games(name, parameters):
        asked.append((name, dict(parameters)))
        return np.array(RPS)

    sources = [
        {"matrix": RPS},
        *({"file": str(tmp_path / f"m.{end}")} for end in ("json", "npy", "csv")),
        {"game": "cyclic", "parameters": {"size": 3}},
    ]
    for source in sources:
        oracle = build_oracle(MatrixSettings(actions=ACTIONS, **source), games=games)
        assert oracle.compare(question)[0] == pytest.approx(np.array(RPS), abs=1e-15)
    assert asked == [("cyclic", {"size": 3})]
    assert oracle.name == "cyclic"
    with pytest.raises(InvalidSetting, match="'cyclic' cannot be looked up here"):
        build_oracle(MatrixSettings(actions=ACTIONS, game="cyclic"))


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        ([[0.5, 0.6], [0.6, 0.5]], r"P\[0\]\[1\] \+ P\[1\]\[0\] is 1.2, not 1"),
        ([[0.5, 1.5], [-0.5, 0.5]], "every entry must be a probability"),
        ([[0.5, float("nan")], [0.5, 0.5]], "every entry must be a probability"),
        ([[0.5, 0.5]], "2 actions need a 2 x 2 matrix, got 1 x 2"),
        ([[0.5, 0.5], [0.5]], "the rows have different lengths"),
    ],
)
def test_no_other_matrix_is_taken(matrix, why) -> None:
    with pytest.raises(InvalidSetting, match=why):
        build_oracle(MatrixSettings(actions=("a", "b"), matrix=matrix))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("m.json", "{", "holds no matrix of numbers"),
        ("m.json", "[[1, 2], [3]]", "holds no matrix of numbers"),
        ("m.json", "{}", "holds no matrix of numbers"),
        ("m.csv", "a,b", "holds no matrix of numbers"),
        ("m.txt", "1", "ends in '.txt'; use json, npy or csv"),
        (None, "", "there is no file"),
    ],
)
def test_a_file_without_a_matrix_gets_one_line(tmp_path, name, content, why) -> None:
    path = tmp_path / (name or "absent.json")
    if name:
        path.write_text(content)
    with pytest.raises(InvalidSetting, match=why) as caught:
        build_oracle(MatrixSettings(actions=("a", "b"), file=str(path)))
    assert "\n" not in str(caught.value)
