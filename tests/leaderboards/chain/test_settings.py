"""A recipe's ``evaluation`` section as settings of an evaluation."""

import pytest
from small_chain import small_chain

from leaderboards.chain.settings import evaluation_settings, start_model
from mnpo.errors import InvalidSetting
from mnpo.training.recipes import list_recipes, load_recipe


@pytest.mark.parametrize("name", list_recipes())
def test_the_recipes_that_come_along_can_be_evaluated_for_nothing(name: str) -> None:
    recipe = load_recipe(name)
    settings = evaluation_settings(recipe, [start_model(recipe)])
    assert "cross-play" in settings.benchmarks
    (judge,) = settings.judges
    assert judge.kind == "oracle"
    assert judge.oracle == recipe.oracle
    assert judge.name is None  # so it is called what the training's own cross-play calls it


def test_a_recipe_without_the_section() -> None:
    recipe = small_chain().model_copy(update={"evaluation": None})
    settings = evaluation_settings(recipe, [start_model(recipe)])
    assert settings.benchmarks == ("mini", "cross-play")
    assert settings.judges[0].oracle == recipe.oracle
    oracle = {"kind": "judge", "model": "m", "url": "http://localhost:1/v1"}
    dear = small_chain(oracle=oracle).model_copy(update={"evaluation": None})
    assert evaluation_settings(dear, [start_model(dear)]).judges is None


def test_judges_beside_the_oracle_keep_their_own_settings() -> None:
    other = {"kind": "endpoint", "url": "http://localhost:1/v1", "model": "m"}
    recipe = small_chain(evaluation__judges=[other, "oracle"])
    first, second = evaluation_settings(recipe, [start_model(recipe)]).judges
    assert (first.kind, first.model) == ("endpoint", "m")
    assert second.kind == "oracle"


def test_an_unknown_word_among_the_judges() -> None:
    recipe = small_chain(evaluation__judges=["orakle"])
    with pytest.raises(InvalidSetting, match="evaluation: judges"):
        evaluation_settings(recipe, [start_model(recipe)])
