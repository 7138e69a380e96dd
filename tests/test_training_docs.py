"""The trainer's pages name what there is, with its defaults, and their examples are valid."""

import json
import re
import shlex
import sys
from ast import literal_eval
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

import mnpo.cli.training
from mnpo.algorithms.paper_parameters import PAPER_PARAMETERS
from mnpo.algorithms.registry import find_entry
from mnpo.cli.app import app
from mnpo.training.data.rows import prompt_of
from mnpo.training.ledger import Ledger
from mnpo.training.methods import get_method, known_parameters, list_methods
from mnpo.training.oracles.settings import KINDS
from mnpo.training.recipe import Recipe, ServerSettings
from mnpo.training.recipes import list_recipes, methods_of
from mnpo.validation import check

DOCS = Path(__file__).resolve().parent.parent / "docs"
METHODS = DOCS / "methods"
TRAINING = (DOCS / "training.md").read_text()
OWN = (DOCS / "your-own-model.md").read_text()
PAGES = [DOCS / "training.md", DOCS / "your-own-model.md", *sorted(METHODS.glob("*.md"))]


def page_of(name):
    """The page that the index names for a method; of the pair losses its section."""
    index = (METHODS / "README.md").read_text()
    (target,) = re.findall(rf"^\|[^|]*`{re.escape(name)}`[^|]*\| \[[^]]*\]\(([^)]*)\)", index, re.M)
    text = (METHODS / target).read_text()
    if target != "pair-losses.md":
        return text
    return section(text, f"## `{name}`")


def section(text, heading):
    """A heading's text, up to the next one of its level or above."""
    level = heading.split(" ")[0]
    _, found, rest = f"\n{text}".partition(f"\n{heading}\n")
    assert found, heading
    return re.split(rf"^#{{1,{len(level)}}} ", rest, flags=re.M)[0]


def rows(text):
    """First cell -> second cell of every table row that begins with a name."""
    cells = [
        [cell.strip() for cell in line.split("|")[1:]]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    return {cell[0]: cell[1] for cell in cells}


def same_default(text, value):
    text = text.strip("`")
    if isinstance(value, bool):
        return text == str(value).lower()
    if value is None:
        return text == ""
    if isinstance(value, int | float):
        return float(text) == value
    return text == str(value)


def method_of(name):
    return get_method(name, {"inner": 2} if name == "comal" else {})


def read_parameters(name):
    known = set(known_parameters(name))
    return known if "step_size" in known else known - {"schedule"}


@pytest.mark.parametrize("name", list_methods())
def test_every_method_has_a_page_with_all_its_parameters(name):
    text = page_of(name)
    assert f"`{name}`" in text or f"`{name}`" in (METHODS / "pair-losses.md").read_text()
    assert {f"`{parameter}`" for parameter in read_parameters(name)} <= rows(text).keys()


@pytest.mark.parametrize("name", list_methods())
def test_defaults_on_the_pages_are_the_defaults(name):
    method, described = method_of(name), rows(page_of(name))
    if method.algorithm is None:
        values = {**method.pair_loss.settings, "sampler": method.pair_loss.sampler}
    elif find_entry(name).preset:
        return  # the page's defaults are those of the name without presets
    else:
        values = {f.name: getattr(method.algorithm, f.name) for f in fields(method.algorithm)}
    for parameter in read_parameters(name) & set(values):
        value = values[parameter]
        if value is None or isinstance(value, tuple) or (name, parameter) == ("comal", "inner"):
            continue
        assert same_default(described[f"`{parameter}`"], value), (parameter, value)


@pytest.mark.parametrize("name", [n for n in list_methods() if n in PAPER_PARAMETERS])
def test_pages_translate_the_papers_own_parameters(name):
    text = page_of(name)
    for parameter in PAPER_PARAMETERS[name]:
        assert f"`{parameter}`" in text, parameter


@pytest.mark.parametrize("name", list_methods())
def test_pages_carry_badge_and_paper(name):
    text = page_of(name)
    algorithm = method_of(name).algorithm
    if algorithm is not None:
        assert str(algorithm.card.badge) in text
        assert algorithm.card.arxiv in text
    elif name != "ipo-average":
        assert "arXiv" in text


def models(model, path=()):
    """(path, model) of a settings model and all nested ones, oracles left to their own test."""
    yield path, model
    for name, field in model.model_fields.items():
        if name in ("oracle", "annotators"):
            continue
        for inner in nested(field.annotation):
            yield from models(inner, (*path, name))


def nested(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in nested(part)]


def keys():
    return [
        pytest.param(path, name, field, id=".".join((*path, name)))
        for path, model in models(Recipe)
        for name, field in model.model_fields.items()
    ]


@pytest.mark.parametrize(("path", "name", "field"), keys())
def test_every_recipe_key_is_named_with_its_default(path, name, field):
    text = TRAINING
    if path:
        assert f"`{path[0]}`" in TRAINING
        text = section(TRAINING, f"### `{path[0]}`")
    assert f"`{name}`" in text
    described = rows(text)
    if len(path) <= 1 and f"`{name}`" in described and not nested(field.annotation):
        default = field.get_default(call_default_factory=True)
        if field.is_required() or default in ((), {}):
            assert described[f"`{name}`"] == ""
        elif not isinstance(default, tuple):
            assert same_default(described[f"`{name}`"], default)


def test_the_walk_reaches_nested_settings():
    assert ("sampling", "server") in [path for path, _ in models(Recipe)]
    assert ServerSettings in [model for _, model in models(Recipe)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_oracle_is_described_with_its_keys(kind):
    (row,) = [
        line
        for line in section(TRAINING, "## Oracles").splitlines()
        if line.startswith(f"| `{kind}` |")
    ]
    for key in KINDS[kind].model_fields:
        assert key == "kind" or f"`{key}`" in row, key


def test_ledger_and_training_log_are_described():
    for field in fields(Ledger):
        assert f"`{field.name}`" in section(TRAINING, "## Equal budgets")
    # Read, not imported: the engine loads transformers.
    source = (DOCS.parent / "mnpo/training/engine/measures.py").read_text()
    (measures,) = re.findall(r"^MEASURES = (\(.*?\))$", source, re.M | re.S)
    for name in ("loss", "grad_norm", "learning_rate", "seconds", "step", *literal_eval(measures)):
        assert f"`{name}`" in section(TRAINING, "## The run directory")


def test_built_in_recipes_are_named():
    for name in list_recipes():
        assert f"`{name}`" in TRAINING


def slug(heading):
    """A heading's anchor, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        found = path.parent / file if file else path
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(), re.M)
            assert anchor in map(slug, headings), target


def blocks(text, kind):
    return re.findall(rf"```{kind}\n(.*?)```", text, re.S)


def test_the_example_recipe_and_oracles_are_valid():
    parsed = [yaml.safe_load(block) for block in blocks(OWN, "yaml")]
    (mine,) = [block for block in parsed if "recipe" in block]
    mine["methods"] = {name: own or {} for name, own in mine["methods"].items()}
    mine["optimizer"]["learning_rate"] = float(mine["optimizer"]["learning_rate"])
    recipe = check(Recipe, mine)
    assert set(methods_of(recipe)) == set(mine["methods"])
    for block in parsed:
        if "recipe" not in block:
            check(Recipe, {"recipe": "x", "methods": {"inpo": {}}, **block})


def test_parameters_written_on_the_method_pages_are_valid():
    count = 0
    for path in METHODS.glob("*.md"):
        for block in blocks(path.read_text(), "yaml"):
            for name, own in yaml.safe_load(block)["methods"].items():
                get_method(name, own)
                count += 1
    assert count


def test_the_example_rows_are_read():
    (block,) = blocks(OWN, "json")
    prompts = [prompt_of(json.loads(line)) for line in block.splitlines()]
    assert [prompt.text for prompt in prompts] == [
        "Why is the sky blue?",
        "What is a prime?",
        "Hi",
        "Name a fruit.",
    ]
    assert prompts[3].completions == ("Apple.", "Carrot.")


def commands():
    found = []
    for path in PAGES:
        for kind in ("bash", "text"):
            for block in blocks(path.read_text(), kind):
                lines = block.replace("\\\n", " ").splitlines()
                found += [line.split("  #")[0] for line in lines if "mnpo" in line]
    readme = (DOCS.parent / "README.md").read_text()
    found += [line.split("  #")[0] for line in re.findall(r"^mnpo-bench train.*$", readme, re.M)]
    return found


@pytest.mark.parametrize("line", commands())
def test_commands_are_understood(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(next(b for b in blocks(OWN, "yaml") if b.startswith("recipe:")))
    # Its import loads transformers; executors have tests of their own.
    executors = SimpleNamespace(make_executor=lambda name, jobs: None)
    monkeypatch.setitem(sys.modules, "mnpo.training.runs.executors", executors)
    asked = []
    monkeypatch.setattr(mnpo.cli.training, "train_and_report", asked.append)
    words = shlex.split(line)
    if words[0] == "accelerate":
        config = words[words.index("--config_file") + 1]
        assert (DOCS.parent / config).is_file()
        words = words[words.index("mnpo.cli") :]
    result = CliRunner().invoke(app, words[1:])
    assert result.exception is None, result.exception
    assert len(asked) == 1


def test_there_are_commands():
    assert len(commands()) >= 6
