import pytest

from mnpo.errors import InvalidSetting
from mnpo.training.recipe import Recipe
from mnpo.validation import check

LEAST = {"recipe": "r", "oracle": {"kind": "rule", "rule": "brevity"}, "methods": {"inpo": {}}}


def test_the_least_recipe():
    recipe = check(Recipe, LEAST)
    assert recipe.seeds == (0,)
    assert check(Recipe, recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"methods": {}}, "methods is empty"),
        ({"seeds": []}, "seeds must be distinct and at least one, got []"),
        ({"seeds": [1, 1]}, "seeds must be distinct"),
        (
            {"optimizer": {"learning_rate": float("inf")}},
            "learning_rate must be a finite number",
        ),
        (
            {"data": {"use_completions": True}, "sampling": {"support": "given"}},
            "data.use_completions and sampling.support=given are two ways",
        ),
        (
            {"sampling": {"server": {"url": "http://h:1/v1?api-key=x"}}},
            "sampling.server.url: must end with its path, without ? or #",
        ),
        (
            {"sampling": {"server": {"url": "http://me:pw@h:1/v1"}}},
            "sampling.server.url: holds a password",
        ),
    ],
)
def test_recipes_that_cannot_be_run(values, says):
    with pytest.raises(InvalidSetting) as caught:
        check(Recipe, LEAST | values)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
