"""The configuration of a study."""

import pytest
import yaml

from mnpo.errors import InvalidSetting
from simulators.study.config import DEFAULT_ALGORITHMS, StudyConfig, parse_config


def test_nothing_is_a_configuration() -> None:
    config = parse_config({})
    assert config == StudyConfig()
    assert config.game == "cyclic"
    assert config.algorithms == DEFAULT_ALGORITHMS


def test_it_survives_yaml() -> None:
    config = parse_config(
        {
            "game": "disc",
            "game_parameters": {"actions": 5, "kind": "bilinear"},
            "algorithms": ["inpo", "mwu"],
            "reference": [0.3, 0.3, 0.2, 0.1, 0.1],
            "initial": "random",
            "step_size": 1e-5,
            "sweep": {"temperature": [1e-3, 1], "inpo.eta": [1, 2]},
            "keep_policies": False,
        }
    )
    text = yaml.safe_dump(config.model_dump(mode="json"))
    assert parse_config(yaml.safe_load(text)) == config


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"gmae": "disc"}, "here: unknown key 'gmae'; did you mean 'game'?"),
        ({"seeds": 0}, "here: seeds must be at least 1, got 0"),
        ({"seeds": "many"}, "here: seeds must be a whole number, got 'many'"),
        ({"mode": "eaxct"}, "here: mode must be 'exact', 'gradient', 'sampled' or 'neural', got"),
        ({"algorithms": ["inpo", "inpo"]}, "here: algorithms: algorithm 'inpo' is named twice"),
        ({"algorithms": []}, "here: algorithms: give at least one algorithm"),
        ({"reference": "here"}, "here: reference must be auto, uniform or skewed, or one"),
        ({"initial": [0.5, "x"]}, "here: initial must be reference or random, or one prob"),
        ({"sweep": {"eta": 1}}, "here: sweep.eta must be a list, got 1"),
        ({"parameters": [1]}, "here: parameters must be a mapping, got [1]"),
    ],
)
def test_mistakes_are_one_line(values: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        parse_config(values, "here: {}".format)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse_config({}).seeds = 3  # type: ignore[misc]
