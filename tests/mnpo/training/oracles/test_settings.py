import subprocess
import sys

import pytest
import yaml

from mnpo.errors import InvalidSetting
from mnpo.training.oracles.settings import KINDS, MixtureSettings, RuleSettings
from mnpo.training.recipe import Recipe
from mnpo.validation import check


def recipe(oracle: str) -> Recipe:
    text = f"recipe: x\nmethods: {{mnpo: {{}}}}\noracle: {oracle}"
    return check(Recipe, yaml.safe_load(text), "recipe.yaml: {}".format)


def refusal(oracle: str) -> str:
    with pytest.raises(InvalidSetting) as caught:
        recipe(oracle)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_mixture_reads_as_it_is_written() -> None:
    read = recipe(
        "{kind: mixture, annotators: [{kind: rule, rule: sentiment}, {kind: rule, rule: brevity}], "
        "weights: [0.5, 0.5]}"
    )
    expected = MixtureSettings(
        annotators=(RuleSettings(rule="sentiment"), RuleSettings(rule="brevity")),
        weights=(0.5, 0.5),
    )
    assert read.oracle == expected


@pytest.mark.parametrize(
    "oracle",
    [
        "{kind: rule, rule: brevity, target: 20}",
        "{kind: sum, parts: [{kind: rule, rule: sentiment}], weights: [-2]}",
        "{kind: length-free, oracle: {kind: rule, rule: sentiment}, reward_per_word: 0.01}",
        "{kind: reward-model, model: some/model}",
        "{kind: pair-model, model: some/model, answers: [' A', ' B']}",
        "{kind: judge, model: m, url: 'http://127.0.0.1:1/v1', api_key_env: MY_KEY}",
        "{kind: matrix, actions: [a, b], matrix: [[0.5, 1], [0, 0.5]]}",
        "{kind: majority, annotators: [{kind: rule, rule: sentiment}], votes: sharp}",
        "{kind: random-annotator, annotators: [{kind: rule, rule: sentiment}], per: prompt}",
        "{kind: noisy, oracle: {kind: mixture, annotators: [{kind: rule, rule: toxicity}]}, "
        "flip: 0.1}",
    ],
)
def test_every_kind_survives_a_round_trip_through_its_resolved_form(oracle: str) -> None:
    read = recipe(oracle)
    assert check(Recipe, read.model_dump(mode="json")) == read


@pytest.mark.parametrize(
    ("oracle", "expected"),
    [
        (
            "{kind: mixtre}",
            "recipe.yaml: oracle: unknown kind 'mixtre'; did you mean 'mixture'?",
        ),
        (
            "{kind: mixture, annotators: [{kind: rule, rule: brevity}], wieghts: [1]}",
            "recipe.yaml: oracle: unknown key 'wieghts' of kind mixture; did you mean 'weights'?",
        ),
        ("{rule: brevity}", "recipe.yaml: oracle: has no kind; known: " + ", ".join(sorted(KINDS))),
        ("{kind: rule}", "recipe.yaml: oracle.rule is missing"),
        (
            "{kind: rule, rule: sentiment, target: 3}",
            "recipe.yaml: oracle: target is an option of rule brevity, not of sentiment",
        ),
        (
            "{kind: mixture, annotators: [{kind: rule, rule: brevity}], weights: [1, 2]}",
            "recipe.yaml: oracle: 1 annotators need as many weights, got 2",
        ),
        (
            "{kind: mixture, annotators: [{kind: rule, rule: brevity}], weights: [0.9]}",
            "recipe.yaml: oracle: weights must sum to one, got 0.9",
        ),
        (
            "{kind: mixture, annotators: [{kind: ruel}]}",
            "recipe.yaml: oracle.annotators: unknown kind 'ruel'; did you mean 'rule'?",
        ),
        (
            "{kind: mixture, annotators: [{kind: noisy, flip: 2, oracle: {kind: rule, "
            "rule: brevity}}]}",
            "recipe.yaml: oracle.annotators.flip must be at most 0.5, got 2",
        ),
        (
            "{kind: rule, rule: brevity, scale: .inf}",
            "recipe.yaml: oracle.scale must be a finite number, got inf",
        ),
        ("{kind: [rule]}", "recipe.yaml: oracle: unknown kind ['rule']; did you mean 'rule'?"),
        (
            "{kind: matrix, actions: [a, a], game: cyclic}",
            "recipe.yaml: oracle: actions must be distinct texts",
        ),
        (
            "{kind: matrix, actions: [a, b]}",
            "recipe.yaml: oracle: give exactly one of matrix, file, game",
        ),
        (
            "{kind: judge, model: m, url: 'http://me:secret@host/v1'}",
            "recipe.yaml: oracle.url: holds a password; put the key into a variable and name "
            "it in api_key_env",
        ),
    ],
)
def test_a_mistake_gets_one_line(oracle: str, expected: str) -> None:
    assert refusal(oracle) == expected


def test_settings_load_nothing_heavy() -> None:
    code = (
        "import sys, mnpo.training.recipe, mnpo.training.oracles.build\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'openai', 'scipy', 'jinja2', 'pandas'}\n"
        "print(*(heavy & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (finished.returncode, finished.stdout) == (0, "\n"), finished.stderr
