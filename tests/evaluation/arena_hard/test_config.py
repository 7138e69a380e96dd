import json
import os

import pytest

from evaluation.arena_hard.config import read_config, read_prompts
from mnpo.errors import UserError


def test_both_generations(files) -> None:
    old = read_config(files(current=False)["config"])
    assert (old.rule, old.attempts, old.baseline, old.current) == ("unique", 2, "gpt-4-0314", False)
    assert old.parameters == {"temperature": 0.0, "max_tokens": 64}
    new = read_config(files(current=True)["config"])
    assert (new.rule, new.attempts, new.system_prompt, new.current) == ("last", 1, None, True)
    assert len(new.patterns) == 2


def test_yaml_says_the_same(files, tmp_path) -> None:
    import yaml

    path = files(current=True)["config"]
    other = tmp_path / "config.yaml"
    other.write_text(yaml.safe_dump(json.loads(path.read_text())))
    assert read_config(other) == read_config(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"temperature": None}, "temperature is 'None'"),
        ({"max_tokens": "many"}, "max_tokens is 'many'"),
        ({"bench_name": 3}, "bench_name is '3'"),
        ({"prompt_template": ["a", "b"]}, "must hold one text"),
        ({"pairwise": False}, "no configuration of pairwise judging"),
        ({"regex_pattern": None}, "regex_pattern is 'None'"),
    ],
)
def test_bad_settings_are_refused(files, change, says) -> None:
    path = files(current=False)["config"]
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=says):
        read_config(path)


@pytest.mark.parametrize("text", ["- a\n- b", "a: [", "'text'"])
def test_other_files_are_refused(tmp_path, text) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"is no judge configuration|neither JSON nor YAML"):
        read_config(path)


def test_prompts_are_read_and_never_run(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(os, "abort", lambda: pytest.fail("the file was run"))
    path = tmp_path / "judge_utils.py"
    path.write_text(
        "import os\nos.abort()\nTEXT = 'as cooks' ' do'\nOTHER = print('no')\n"
        "JUDGE_SETTINGS = {'soup': {'baseline': 'b', 'system_prompt': TEXT},\n"
        " 'stew': {'baseline': 'c', 'system_prompt': 'slowly'}}\n"
    )
    found = read_prompts(path)
    assert found["soup"].system_prompt == "as cooks do"
    assert found["stew"].baseline == "c"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("JUDGE_SETTINGS = open('x')", "has no table JUDGE_SETTINGS"),
        ("JUDGE_SETTINGS = {'a': {'baseline': 'b', 'system_prompt': unknown}}", "has no table"),
        ("JUDGE_SETTINGS = {'a': {'baseline': 'b'}}", "needs system_prompt and baseline"),
        ("x = 1", "has no table"),
        ("def", "line 1: is no Python"),
    ],
)
def test_other_prompt_files_are_refused(tmp_path, text, says) -> None:
    path = tmp_path / "judge_utils.py"
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        read_prompts(path)


@pytest.mark.shared_data
def test_the_benchmark_s_own_files(shared_data) -> None:
    folder = shared_data / "data/arena_hard"
    old = read_config(folder / "v0.1/judge_config.json")
    assert (old.max_tokens, old.attempts, old.baseline) == (4096, 2, "gpt-4-0314")
    assert old.system_prompt
    new = read_config(folder / "v2.0/config.json")
    assert (new.max_tokens, new.judge, new.system_prompt) == (16000, "gpt-4.1", None)
