"""Recipes by name and by file, changes by key, and the methods that come out of them."""

import json
import re
from pathlib import Path

import pytest
import yaml

import mnpo
from mnpo.algorithms import get_algorithm
from mnpo.errors import InvalidSetting
from mnpo.training.recipe import Recipe
from mnpo.training.recipes import list_recipes, load_recipe, methods_of, select_methods

SHORT = """
recipe: short
oracle: {kind: rule, rule: brevity}
methods: {inpo: , dpo: {temperature: 0.3}}
"""
ACCELERATE = Path(mnpo.__file__).parent / "recipes" / "accelerate"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        (tmp_path / "mine.yaml").write_text(text)
        return "mine.yaml"

    return write


def refusal(*arguments) -> str:
    with pytest.raises(InvalidSetting) as caught:
        load_recipe(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["gemma-2-9b-it", "llama-3-8b-it", "smollm2-135m", "tiny"])
def test_built_in_recipes_are_whole(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.recipe == name
    assert set(methods_of(recipe)) == set(recipe.methods)


def test_all_built_in_recipes_are_known() -> None:
    assert list_recipes() == ("gemma-2-9b-it", "llama-3-8b-it", "smollm2-135m", "tiny")


def test_tiny_compares_the_family_and_needs_no_extra_package() -> None:
    recipe = load_recipe("tiny")
    assert {
        *("mnpo", "ht-mnpo", "inpo", "sppo", "dno", "nash-md", "onpo", "egpo", "comal"),
        *("dpo", "dpo-online", "dpo-iterative", "ipo", "spin", "simpo"),
    } <= set(recipe.methods)
    assert set(re.findall(r"'rule': '(\w+)'", str(recipe.model_dump()))) == {"brevity"}
    assert recipe.model.name == "tiny"
    assert recipe.data.prompts == "embedded"


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["gemma-2-9b-it", "llama-3-8b-it"])
def test_the_papers_settings(name: str, shared_data: Path) -> None:
    setup = json.loads((shared_data / "data/paper/mnpo_tables.json").read_text())["setup"]
    recipe = load_recipe(name)
    rate, schedule, _, warmup = setup["lr"].replace(",", "").split()
    assert recipe.optimizer.learning_rate == float(rate)
    assert recipe.optimizer.schedule == schedule
    assert recipe.optimizer.warmup_ratio == float(warmup)
    assert recipe.optimizer.batch_size == setup["global_batch"]
    assert recipe.optimizer.weight_decay == 0
    assert setup["optimizer"] == "AdamW, no weight decay"
    assert recipe.budget.iterations == setup["iterations_T"]
    assert 3 * recipe.budget.prompts == 60_000
    assert setup["reward_models"][0].split()[0] in recipe.oracle.model
    assert recipe.method_defaults["step_size"] == pytest.approx(1 / setup["eta"], rel=1e-5)
    text = (ACCELERATE.parent / "gemma-2-9b-it.yaml").read_text()
    (grid,) = re.findall(r"# +eta +([\d. ]+)\n", text)
    assert [float(x) for x in grid.split()] == setup["eta_grid"]


@pytest.mark.parametrize("path", sorted(ACCELERATE.glob("*.yaml")), ids=lambda path: path.stem)
def test_accelerate_reads_its_configurations(path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    expected = {"one-gpu": "NO", "ddp": "MULTI_GPU", "fsdp2": "FSDP", "zero3": "DEEPSPEED"}
    assert config.distributed_type == expected[path.stem]


def test_a_file_and_the_run_that_it_gave_are_the_same_recipe(file, tmp_path: Path) -> None:
    recipe = load_recipe(file(SHORT))
    assert recipe.methods == {"inpo": {}, "dpo": {"temperature": 0.3}}
    from mnpo.runs.directory import dump_yaml

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.yaml").write_text(dump_yaml(recipe.model_dump(mode="json")))
    assert load_recipe("run/run.yaml") == load_recipe("run") == recipe
    for name in list_recipes():
        whole = load_recipe(name)
        assert Recipe.model_validate(yaml.safe_load(dump_yaml(whole.model_dump(mode="json")))) == (
            whole
        )


def test_fractions_and_exponents_are_numbers(file) -> None:
    recipe = load_recipe(
        file(SHORT + "method_defaults: {step_size: 1/4, temperature: 2e-1}\n"),
        {"methods.mnpo.history_weights": [1 / 3, 2 / 3]},
    )
    assert recipe.method_defaults == {"step_size": 0.25, "temperature": 0.2}
    assert methods_of(recipe)["mnpo"].algorithm.history_weights == (1 / 3, 2 / 3)


def test_single_keys_are_changed_and_nothing_else(file) -> None:
    before = load_recipe(file(SHORT))
    after = load_recipe(
        "mine.yaml",
        {"methods.inpo.step_size": 2, "model.lora.rank": 4, "optimizer.learning_rate": 1e-3},
    )
    assert after.methods["inpo"] == {"step_size": 2}
    assert after.model.lora is not None
    assert after.model.lora.rank == 4
    assert after.optimizer.learning_rate == 1e-3
    kept = set(Recipe.model_fields) - {"methods", "model", "optimizer"}
    assert all(getattr(before, name) == getattr(after, name) for name in kept)
    scaled = load_recipe("tiny", {"annotators.1.scale": 7})
    assert [own.scale for own in scaled.annotators] == [1, 7]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("optimiser: {}\n", "mine.yaml: unknown key 'optimiser'; did you mean 'optimizer'?"),
        ("budget: {prompt: 3}\n", "unknown key 'budget.prompt'; did you mean 'prompts'?"),
        ("budget: {prompts: 0}\n", "mine.yaml: budget.prompts must be at least 1, got 0"),
        ("recipe: twice\n", "mine.yaml is not YAML: line 5: 'recipe' is given twice"),
        ("budget: {prompts: 3, prompts: 4}\n", "'prompts' is given twice"),
        ("seeds: [1, 1]\n", "seeds must be distinct"),
    ],
)
def test_mistakes_in_a_file(file, text: str, said: str) -> None:
    assert said in refusal(file(SHORT + text))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("budget.prompt", 3, "--set: unknown key 'budget.prompt'; did you mean 'prompts'?"),
        ("budget.prompts", 0, "--set: budget.prompts must be at least 1, got 0"),
        ("recipe.name", 0, "--set recipe.name: recipe is 'short' and has no 'name'"),
        ("annotators.0.scale", 1, "annotators is"),
    ],
)
def test_mistakes_in_an_assignment(file, key: str, value: object, said: str) -> None:
    assert said in refusal(file(SHORT + "annotators: []\n"), {key: value})


def test_recipes_that_are_not_there(file) -> None:
    assert refusal("tinny") == (
        "unknown recipe 'tinny'; did you mean 'tiny'? (or give a YAML file)"
    )
    assert refusal("nowhere.yaml") == "nowhere.yaml: No such file or directory"
    assert "must hold keys and values" in refusal(file("- 1\n"))


def short(**changes) -> Recipe:
    return Recipe.model_validate(yaml.safe_load(SHORT) | {"methods": {"inpo": {}}} | changes)


def test_defaults_reach_the_methods_that_know_them() -> None:
    recipe = short(
        methods={"inpo": {}, "mnpo": {"step_size": 7}, "sppo": {}, "dpo": {}, "simpo": {}},
        method_defaults={"step_size": 3, "temperature": 0.2},
    )
    found = methods_of(recipe)
    assert found["inpo"].algorithm == get_algorithm("inpo", step_size=3, temperature=0.2)
    assert found["mnpo"].algorithm == get_algorithm("mnpo", step_size=7, temperature=0.2)
    assert found["sppo"].algorithm == get_algorithm("sppo", step_size=3)
    assert found["dpo"].algorithm == get_algorithm("dpo", temperature=0.2)
    assert found["simpo"].pair_loss.settings == {"scale": 2.0, "target_margin": 1.0}


def test_defaults_in_the_papers_words_mean_what_each_paper_means() -> None:
    recipe = short(
        methods={"inpo": {}, "mnpo": {}, "sppo": {"step_size": 9}, "comal": {"inner": 2}},
        method_defaults={"eta": 4},
    )
    steps = {name: method.algorithm.step_size for name, method in methods_of(recipe).items()}
    assert steps == {"inpo": 0.25, "mnpo": 4, "sppo": 9, "comal": 0.25}
    # A method's own eta goes before a default step_size: both set the same field.
    own = short(methods={"inpo": {"eta": 4}}, method_defaults={"step_size": 3})
    assert methods_of(own)["inpo"].algorithm.step_size == 0.25


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"methods": {"inpoo": {}}}, "unknown method 'inpoo'; did you mean 'inpo'?"),
        ({"methods": {"inpo": {"stepsize": 1}}}, "did you mean 'step_size'?"),
        ({"methods": {"inpo": {"step_size": -1}}}, "step_size must be above 0"),
        ({"methods": {"simpo": {"margin": 1}}}, "simpo: unknown parameter 'margin'"),
        ({"method_defaults": {"stepsize": 1}}, "method_defaults: no method reads 'stepsize'; did"),
        ({"methods": {"mnpo": {}, "td-mnpo": {}}}, "mnpo and td-mnpo are the same method"),
        ({"methods": {"ht-mnpo": {}}}, "name at least two under annotators"),
        ({"methods": {"eo-mnpo": {}}}, "it needs 1 under externals and the recipe names 0"),
        ({"methods": {"nash-ema": {}}}, "nash-ema has no form on language models"),
        ({"methods": {"comal": {}}}, "set inner to a number of steps"),
    ],
)
def test_methods_that_cannot_be(changes: dict, said: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(said)):
        methods_of(short(**changes))


def test_selecting_methods() -> None:
    recipe = short(methods={"inpo": {"step_size": 2}, "dpo": {}})
    assert select_methods(recipe, ["sppo", "inpo"]).methods == {
        "sppo": {},
        "inpo": {"step_size": 2},
    }
    for names, said in (
        (["inpoo"], "did you mean 'inpo'?"),
        (["inpo", "inpo"], "method 'inpo' is named twice"),
        ([], "give at least one method"),
    ):
        with pytest.raises(InvalidSetting, match=re.escape(said)):
            select_methods(recipe, names)
