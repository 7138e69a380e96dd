"""What a user can get wrong in a training run: one clear line, exit code 2, nothing written."""

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_recipe import PROMPTS, small_values


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small recipe's model and prompts."""
    folder = tmp_path_factory.mktemp("small")
    small_values(folder)
    return folder


@pytest.fixture
def recipe(kept: Path, tmp_path: Path):
    """Write small.yaml with changes; what stands under a key is merged, not replaced."""

    def write(**changes: Any) -> Path:
        values = small_values(kept, methods={"inpo": {}}, budget={"iterations": 1, "prompts": 8})
        for key, value in changes.items():
            old = values.get(key)
            merge = isinstance(old, dict) and isinstance(value, dict) and key != "oracle"
            values[key] = old | value if merge else value
        file = tmp_path / "small.yaml"
        file.write_text(yaml.safe_dump(values, sort_keys=False))
        return file

    return write


@pytest.fixture
def prompts(tmp_path: Path):
    def write(rows: list[Any], name: str = "prompts.jsonl") -> str:
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return name

    return write


@pytest.fixture
def model(kept: Path, tmp_path: Path) -> Path:
    """A copy of the model, to be spoilt."""
    return Path(shutil.copytree(kept / "model", tmp_path / "model"))


@pytest.fixture
def refuse(bench, tmp_path: Path):
    """Run a command that must be refused as every bad input is; gives its one line."""

    def run(*words: Any) -> str:
        before = tree(tmp_path)
        outcome = bench(*words)
        assert outcome.code == 2, outcome
        assert outcome.out == ""
        assert len(outcome.errors) == 1, outcome.err
        assert tree(tmp_path) == before, "something was written"
        return outcome.errors[0].removeprefix("mnpo-bench: ")

    return run


def tree(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*")}


def edit(file: Path, **changes: Any) -> None:
    values = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))


@pytest.mark.parametrize("words", [["--json"], []])
@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("budget.prompts=many", "budget.prompts must be a whole number, got 'many'"),
        ("sampling=3", "sampling must be a mapping, got 3"),
        ("data.prompts=7", "data.prompts"),
        ("seeds=[0,0]", "seeds must be distinct"),
        ("sampling.responses=1", "sampling.responses must be at least 2, got 1"),
        ("oracle.targt=3", "did you mean 'target'?"),
        ("model.lora.rnk=3", "did you mean 'rank'?"),
        ("model.lora.dropout=0.1", "dropout must be 0"),
        ("report_to=[tensorbord]", "report_to must be"),
        ("model.name=tinny", "neither known, nor a folder"),
    ],
)
def test_wrong_values(refuse, recipe, assignment: str, said: str, words) -> None:
    assert said in refuse("train", "inpo", "--recipe", recipe(), "--set", assignment, *words)


def test_files_that_are_no_recipes(refuse, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("recipe: [small\nmodel: x\n")
    assert "broken.yaml is not YAML: line" in refuse("train", "inpo", "--recipe", file)
    file.write_bytes(b"\x00\xff\xfe")
    assert "is not YAML" in refuse("train", "inpo", "--recipe", file)
    file.write_text("- a list\n")
    assert "must hold keys and values" in refuse("train", "inpo", "--recipe", file)
    file.write_text("recipe: small\n")
    assert "oracle is missing" in refuse("train", "inpo", "--recipe", file)


MIXTURE = {"kind": "mixture", "annotators": [{"kind": "rule", "rule": "brevity", "target": 3}]}


@pytest.mark.parametrize(
    ("method", "changes", "said"),
    [
        ("ht-mnpo", {"annotators": [MIXTURE]}, "name at least two under annotators"),
        ("eo-mnpo", {}, "it needs 1 under externals and the recipe names 0"),
        ("spin", {}, "has no demonstration to imitate"),
        ("distill-dpo", {"oracle": MIXTURE}, "needs scalar rewards and oracle"),
        ("mnpo", {"oracle": MIXTURE, "methods": {"mnpo": {"advantage": "reward"}}},
         "needs scalar rewards and oracle"),
        ("inpo", {"data": {"use_completions": True}}, "data.use_completions needs chosen"),
        ("inpo", {"sampling": {"max_new_tokens": 400}}, "exceed the model's 32 positions"),
        ("inpo", {"model": {"attention": "flex"}}, "flex has no gradients on a CPU"),
        ("nash-md", {"sampling": {"backend": "server", "server": {"url": "http://localhost:9/v1"}},
                     "budget": {"iterations": 2}},
         "cannot sample from a geometric mixture of 2 policies"),
        ("inpo", {"sampling": {"backend": "server", "server": {"url": "http://localhost:9/v1",
                                                               "api_key_env": "NOPE"}}},
         "the environment variable NOPE is not set"),
        ("inpo", {"sampling": {"backend": "server", "server": {"command": ["no-such-program"]}}},
         "there is no program 'no-such-program'"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("words", [["--json"], []])
def test_what_a_method_needs_is_missed_before_anything_is_sampled(
    refuse, recipe, method: str, changes: dict[str, Any], said: str, words
) -> None:
    assert said in refuse("train", method, "--recipe", recipe(**changes), *words)


@pytest.mark.parametrize("tracker", ["tensorboard", "wandb", "trackio"])
def test_a_tracker_that_is_not_installed(refuse, recipe, tracker: str, monkeypatch) -> None:
    true = importlib.util.find_spec

    def without(name: str, *arguments: Any) -> Any:
        gone = name.split(".")[0] in (tracker, "tensorboardX")
        return None if gone or name == "torch.utils.tensorboard" else true(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    line = refuse("train", "inpo", "--recipe", recipe(report_to=[tracker]))
    assert line == f"report_to: {tracker} is not installed; pip install {tracker}, or leave it out"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": ""}, "prompts.jsonl, row 3: 'prompt': turn 1 (user) is empty"),
        ({"prompt": "  \n "}, "row 3: 'prompt': turn 1 (user) is empty"),
        ({"prompt": []}, "row 3: 'prompt' is empty"),
        ({"prompt": [{"role": "robot", "content": "w1"}]}, "the unknown role 'robot'"),
        ({"prompt": [{"role": "assistant", "content": "w1"}]}, "expected the user's"),
        ({"prompt": "w1", "chosen": "w2"}, "has 'chosen' but no 'rejected'"),
        (["w1"], "row 3"),
        ({"prompt": "w1 \ud800"}, "row 3: 'prompt' holds half a character (\\ud800)"),
        ({"prompt": "w1", "chosen": "\udfff", "rejected": "w2"}, "'chosen' holds half a"),
    ],
)
def test_wrong_rows(refuse, recipe, prompts, row: Any, said: str) -> None:
    rows = [*({"prompt": text} for text in PROMPTS[:2]), row]
    line = refuse("train", "inpo", "--recipe", recipe(data={"prompts": prompts(rows)}))
    assert said in line


def test_over_long_prompts_are_counted_or_refused(bench, refuse, recipe, prompts) -> None:
    rows = [{"prompt": text} for text in [*PROMPTS, "w1 " * 20, "w2 " * 20]]
    data = {"prompts": prompts(rows), "max_prompt_tokens": 10}
    outcome = bench("train", "inpo", "--recipe", recipe(data=data), "--dry-run")
    assert outcome.code == 0, outcome.err
    # The held-out prompts are looked for from the end, so the long ones are met there.
    assert "left out of 26 rows: 20 set aside, 2 too long" in " ".join(outcome.out.split())
    line = refuse("train", "inpo", "--recipe", recipe(data=data | {"over_long": "refuse"}))
    assert "has 22 tokens, data.max_prompt_tokens is 10" in line


def test_prompts_that_are_also_held_out(refuse, recipe, prompts) -> None:
    rows = [{"prompt": text} for text in PROMPTS]
    data = {"prompts": prompts(rows), "held_out": prompts(rows[3:5], "held.jsonl")}
    line = refuse("train", "inpo", "--recipe", recipe(data=data))
    assert "'w0 w3' and 1 more are both in data.prompts and data.held_out" in line


def test_identical_responses_only(bench, recipe, tmp_path: Path) -> None:
    """A policy without any doubt: nothing can be compared."""
    file = recipe(sampling={"temperature": 1e-4})
    outcome = bench("train", "inpo", "--recipe", file, "--output", "out", "--json")
    assert outcome.code == 1
    (line,) = outcome.errors
    assert "no comparison is left to train on (8 with identical responses only)" in line
    assert "sampling.temperature" in line
    assert not list((tmp_path / "out" / "stages").glob("train-*"))


def test_a_tokenizer_without_an_end(refuse, recipe, model: Path) -> None:
    edit(model / "tokenizer_config.json", eos_token=None)
    for name in ("special_tokens_map.json",):
        if (model / name).is_file():
            edit(model / name, eos_token=None)
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    for token in tokenizer["added_tokens"]:
        token["special"] = token["special"] and token["content"] != "<eos>"
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    edit(model / "generation_config.json", eos_token_id=None)
    line = refuse("train", "inpo", "--recipe", recipe(model={"name": str(model)}))
    assert "has no EOS token" in line


def test_an_external_with_another_tokenizer(refuse, recipe, model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.add_tokens(["w99"])
    tokenizer.save_pretrained(model)
    line = refuse("train", "eo-mnpo", "--recipe", recipe(externals=[str(model)]))
    assert "ids made under one cannot be used with the other" in line
    assert str(model) in line


def test_models_that_cannot_be_used(refuse, recipe, model: Path) -> None:
    def line() -> str:
        return refuse("train", "inpo", "--recipe", recipe(model={"name": str(model)}), "--json")

    weights = (model / "model.safetensors").rename(model / "kept")
    (model / "pytorch_model.bin").write_bytes(b"pickled")
    assert "the weights are pickled (pytorch_model.bin)" in line()
    (model / "pytorch_model.bin").unlink()
    assert "holds no .safetensors weights" in line()
    content = weights.read_bytes()
    (model / "model.safetensors").write_bytes(content[:-10])
    assert "damaged or truncated" in line()
    (model / "model.safetensors").write_bytes(content)
    edit(model / "config.json", model_type="own", auto_map={"AutoConfig": "own.Config"})
    assert "set model.trust_remote_code: true only if you have read it" in line()
    edit(model / "config.json", model_type="lama", auto_map=None)
    assert "cannot be loaded" in line()
    edit(model / "config.json", model_type="llama")
    (model / "config.json").unlink()
    assert "holds no config.json" in line()
    assert "no such folder" in refuse(
        "train", "inpo", "--recipe", recipe(model={"name": str(model / "nowhere")})
    )


def test_rewards_that_are_no_numbers(bench, recipe, tmp_path: Path, monkeypatch) -> None:
    """The failure is told, and nothing is trained on what stands in for it."""
    from mnpo.training.oracles.rules import Brevity

    monkeypatch.setattr(Brevity, "score", lambda self, prompt, texts: [float("nan")] * len(texts))
    outcome = bench("train", "inpo", "--recipe", recipe(), "--output", "out", "--json")
    assert outcome.code == 1
    (line,) = outcome.errors
    assert "the reward of response 0 is nan" in line
    assert not list((tmp_path / "out" / "stages").glob("train-*"))
    assert not list((tmp_path / "out" / "stages").glob("ask-*"))


def test_given_completions_that_the_limit_empties(bench, recipe, prompts) -> None:
    rows = [{"prompt": text, "chosen": "w5 w6 w7", "rejected": "w5 w6 w8"} for text in PROMPTS]
    file = recipe(
        data={"prompts": prompts(rows), "use_completions": True},
        sampling={"max_new_tokens": 2},
        methods={"dpo": {}},
    )
    outcome = bench("train", "dpo", "--recipe", file, "--output", "out", "--json")
    assert outcome.code == 1
    assert "8 with identical responses only" in outcome.errors[0]


def test_json_that_is_nested_without_end(refuse, recipe, tmp_path: Path) -> None:
    (tmp_path / "deep.jsonl").write_text('{"prompt": ' + "[" * 100_000)
    line = refuse("train", "inpo", "--recipe", recipe(data={"prompts": "deep.jsonl"}))
    assert "deep.jsonl, row 1: its JSON is nested too deeply" in line
    (tmp_path / "deep.jsonl").rename(tmp_path / "deep.json")
    line = refuse("train", "inpo", "--recipe", recipe(data={"prompts": "deep.json"}))
    assert "nested too deeply" in line
