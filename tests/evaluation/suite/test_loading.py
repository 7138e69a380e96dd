"""Settings of an evaluation from options, files and --set."""

import json

import pytest
import yaml

from evaluation.suite.loading import load_settings
from evaluation.suite.models import origin_of, read_models
from evaluation.suite.settings import EvaluationSettings, what_counts
from mnpo.errors import InvalidSetting, UserError


def test_names_of_models() -> None:
    named = read_models(["tiny", "mine=some/folder", "org/model"])
    assert [(own.name, own.model.name) for own in named] == [
        ("tiny", "tiny"),
        ("mine", "some/folder"),
        ("model", "org/model"),
    ]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["=x"], "NAME=PATH"),
        (["x="], "NAME=PATH"),
        (["a/model", "b/model"], "two models are called 'model'"),
    ],
)
def test_names_that_are_refused(given, says) -> None:
    with pytest.raises(InvalidSetting, match=says):
        read_models(given)


@pytest.fixture
def training_run(tmp_path):
    run = tmp_path / "run-7"
    for name in ("inpo-seed-0", "ht-mnpo-seed-0-player-1", "ht-mnpo-seed-0-player-2"):
        (run / "policies" / name).mkdir(parents=True)
    (run / "run.yaml").write_text(yaml.safe_dump({"model": {"name": "tiny", "lora": {"rank": 4}}}))
    methods = [
        {"method": "inpo", "seed": 0, "policies": ["a"]},
        {"method": "ht-mnpo", "seed": 0, "policies": ["b", "c"]},
    ]
    (run / "manifest.json").write_text(json.dumps({"methods": methods}))
    return run


def test_a_training_run_stands_for_its_start_and_policies(training_run) -> None:
    named = read_models([str(training_run), f"again={training_run}"])
    assert [own.name for own in named][:4] == [
        "sft",
        "ht-mnpo-seed-0-player-1",
        "ht-mnpo-seed-0-player-2",
        "inpo-seed-0",
    ]
    assert named[4].name == "again/sft"
    assert named[0].model.name == "tiny"
    assert named[0].model.lora is None


def test_where_policies_come_from(training_run) -> None:
    player = origin_of(training_run / "policies" / "ht-mnpo-seed-0-player-2", "x", "eval")
    assert (player.run, player.algorithm, player.seed) == ("run-7", "ht-mnpo/player-2", 0)
    assert origin_of(training_run, "x", "eval").run == "eval"


def test_an_unfinished_training_run_is_refused(tmp_path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(UserError, match="a run without policies"):
        read_models([str(tmp_path)])


def test_shortcuts_go_before_the_file_and_set_before_both(tmp_path) -> None:
    file = tmp_path / "eval.yaml"
    file.write_text("benchmarks: [mt-bench]\nlimit: 3\nanswers: {max_new_tokens: 9}\n")
    found = load_settings(
        str(file), ["tiny"], (), {"limit": 4, "data_dir": None}, {"answers.temperature": 0.5}
    )
    assert (found.benchmarks, found.limit) == (("mt-bench",), 4)
    assert (found.answers.max_new_tokens, found.answers.temperature) == (9, 0.5)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"benchmarks": ["alpaca"]}, "unknown benchmark 'alpaca'; did you mean 'alpaca-eval'"),
        ({"limits": 3}, "unknown key 'limits'; did you mean 'limit'"),
        ({"max_cost": -1}, "max_cost must be greater than 0"),
        ({"judges": [{"kind": "endpoint", "model": "m"}]}, "url is missing"),
        ({"judges": [{"kind": "oracel"}]}, "did you mean 'oracle'"),
        ({"cross_play.questions": "lm-eval"}, "has no questions of its own"),
    ],
)
def test_what_is_wrong_is_named(changes, says) -> None:
    with pytest.raises(InvalidSetting, match=says):
        load_settings(None, ["tiny"], (), {}, changes)


@pytest.mark.parametrize(
    ("shortcuts", "says"),
    [
        ({"benchmarks": ["alpaca"]}, "--benchmarks: unknown benchmark 'alpaca'; did you mean"),
        ({"benchmarks": []}, "--benchmarks must"),
        ({"limit": 0}, "--limit must be at least 1, got 0"),
        ({"max_cost": -1.0}, "--max-cost must be"),
        ({"judges": [{"kind": "endpoint", "model": "m", "url": "nowhere"}]}, "--judge-url"),
        ({"judges": [{"kind": "endpoint", "model": 5, "url": "http://h/v1"}]}, "--judge-model"),
    ],
)
def test_an_options_value_is_called_by_the_option(shortcuts, says) -> None:
    with pytest.raises(InvalidSetting) as error:
        load_settings(None, ["tiny"], (), shortcuts)
    assert str(error.value).startswith(says)


def test_what_set_replaces_is_called_so() -> None:
    with pytest.raises(InvalidSetting, match=r"^--set: limit must be"):
        load_settings(None, ["tiny"], (), {"limit": 4}, {"limit": 0})


def test_a_model_is_needed() -> None:
    with pytest.raises(InvalidSetting, match="give at least one model"):
        load_settings(None)


def test_outputs_belong_to_one_benchmark(tmp_path) -> None:
    file = tmp_path / "o.json"
    file.write_text("[]")
    found = load_settings(None, [], [f"m={file}"], {"benchmarks": ["alpaca-eval-2"]})
    assert found.models[0].outputs == {"alpaca-eval": str(file)}
    with pytest.raises(InvalidSetting, match="answers to one benchmark"):
        load_settings(None, [], [f"m={file}"], {"benchmarks": ["mini", "mt-bench"]})
    with pytest.raises(InvalidSetting, match="there is no file"):
        load_settings(None, [], ["m=nowhere.json"], {"benchmarks": ["mini"]})


def test_settings_survive_their_own_yaml() -> None:
    judge = {"kind": "oracle", "oracle": {"kind": "rule", "rule": "brevity", "target": 9}}
    found = load_settings(None, ["tiny"], (), {"judges": [judge]})
    dumped = yaml.safe_load(yaml.safe_dump(found.model_dump(mode="json")))
    assert EvaluationSettings.model_validate(dumped) == found


def test_patience_may_change_and_questions_may_not() -> None:
    judge = {"kind": "endpoint", "model": "m", "url": "http://h/v1"}
    base = {"models": [{"name": "x", "outputs": {"mini": "f"}}], "judges": [judge]}

    def essence(**changes):
        own = {**judge, **changes.pop("judge", {})}
        settings = EvaluationSettings.model_validate({**base, "judges": [own], **changes})
        return what_counts(settings.model_dump(mode="json"))

    same = essence()
    assert (
        essence(
            max_cost=3.0,
            allow_missing=True,
            judge={"timeout": 9.0, "price_input": 1.0, "price_output": 2.0},
        )
        == same
    )
    assert essence(judge={"temperature": 1.0}) != same
    assert essence(repeats=2) != same
