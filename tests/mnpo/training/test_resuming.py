import json
from pathlib import Path

import pytest
import yaml

from mnpo.errors import UserError
from mnpo.runs import RunDirectory
from mnpo.training.recipe import Recipe
from mnpo.training.recipes import load_recipe
from mnpo.training.resuming import FREE, what_counts

JUDGE = {"kind": "judge", "model": "m", "url": "http://localhost:1/v1"}


def config(**changes) -> dict:
    values = load_recipe("tiny").model_dump(mode="json") | {
        "oracle": {"kind": "mixture", "annotators": [JUDGE, {"kind": "noisy", "oracle": JUDGE,
                                                             "flip": 0.1}]},
        "sampling": {"backend": "server", "server": {"url": "http://localhost:1/v1"}},
    }  # fmt: skip
    for key, value in changes.items():
        *path, last = key.split(".")
        here = values
        for name in path:
            here = here[int(name) if name.isdigit() else name]
        here[int(last) if last.isdigit() else last] = value
    return Recipe.model_validate(values).model_dump(mode="json")


@pytest.mark.parametrize(
    ("key", "value", "free"),
    [
        ("optimizer.micro_batch_tokens", 7, True),
        ("optimizer.save_steps", 7, True),
        ("model.gradient_checkpointing", True, True),
        ("sampling.batch_size", 7, True),
        ("report_to", ["wandb"], True),
        ("sampling.server.url", "http://localhost:2/v1", True),
        ("oracle.annotators.0.retries", 9, True),
        ("oracle.annotators.1.oracle.timeout", 9.0, True),
        ("annotators.0", JUDGE | {"concurrency": 3}, False),
        ("oracle.annotators.0.url", "http://localhost:2/v1", False),
        ("oracle.annotators.0.repeats", 2, False),
        ("oracle.annotators.1.flip", 0.2, False),
        ("sampling.server.token_ids", "returned", False),
        ("sampling.temperature", 0.5, False),
        ("optimizer.batch_size", 7, False),
        ("model.precision", "bfloat16", False),
        ("seeds", [1], False),
    ],
)
def test_what_may_change_while_a_run_goes_on(tmp_path: Path, key, value, free: bool) -> None:
    before, after = config(), config(**{key: value})
    assert before != after
    assert (what_counts(before) == what_counts(after)) == free
    RunDirectory.open(tmp_path / "run", before)
    if not free:
        with pytest.raises(UserError, match="holds a run with"):
            RunDirectory.open(tmp_path / "run", after, essence=what_counts)
        return
    with pytest.raises(UserError, match="holds a run with"):
        RunDirectory.open(tmp_path / "run", after)
    for _ in range(2):  # noted once
        run = RunDirectory.open(tmp_path / "run", after, essence=what_counts)
    assert yaml.safe_load((run.path / "run.yaml").read_text()) == after
    (noted,) = json.loads((run.path / "manifest.json").read_text())["resumed"]
    assert len(noted["changed"]) == 1


def test_every_free_setting_is_one() -> None:
    for section, names in FREE.items():
        fields = Recipe.model_fields[section].annotation.model_fields
        assert names <= set(fields)


def test_a_file_that_somebody_edited_is_no_crash() -> None:
    for broken in ({}, {"oracle": 3, "sampling": [1], "model": None, "annotators": "x"}):
        what_counts(broken)
