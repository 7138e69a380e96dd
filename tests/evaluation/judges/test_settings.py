from pathlib import Path

import pytest

from evaluation.judges.settings import (
    KINDS,
    EndpointJudgeSettings,
    LocalModelSettings,
    OracleJudgeSettings,
    read_judge,
    require_distinct,
)
from mnpo.errors import InvalidSetting, UserError

ENDPOINT = {"kind": "judge", "model": "m", "url": "http://127.0.0.1:1/v1"}


def test_each_kind_has_its_keys() -> None:
    local = read_judge({"kind": "local-model", "model": "tiny", "reads": "text"})
    assert local == LocalModelSettings(model="tiny", reads="text")
    oracle = read_judge({"kind": "oracle", "oracle": {"kind": "rule", "rule": "brevity"}})
    assert isinstance(oracle, OracleJudgeSettings)
    endpoint = read_judge({"kind": "endpoint", "model": "m", "url": "http://127.0.0.1:1/v1"})
    assert isinstance(endpoint, EndpointJudgeSettings)
    assert endpoint.model == "m"


def test_a_judge_is_named_as_text_or_file(tmp_path) -> None:
    expected = LocalModelSettings(model="tiny")
    assert read_judge("{kind: local-model, model: tiny}") == expected
    for name, text in (("j.yaml", "kind: local-model\nmodel: tiny\n"), ("j.json", None)):
        path = tmp_path / name
        path.write_text(text or '{"kind": "local-model", "model": "tiny"}')
        assert read_judge(str(path)) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "local"}, "unknown kind 'local'; did you mean 'local-model'"),
        ({"model": "tiny"}, "has no kind; known: endpoint, local-model, oracle"),
        ({"kind": "local-model"}, "model is missing"),
        ({"kind": "local-model", "model": "m", "batchsize": 2}, "did you mean 'batch_size'"),
        ({"kind": "local-model", "model": "m", "batch_size": 0}, "batch_size must be at least 1"),
        ({"kind": "oracle", "oracle": {"kind": "rul"}}, "unknown kind 'rul'; did you mean 'rule'"),
        ({"kind": "oracle", "oracle": ENDPOINT}, "kind: endpoint"),
        (
            {"kind": "oracle", "oracle": {"kind": "mixture", "annotators": [ENDPOINT]}},
            "kind: endpoint",
        ),
        (
            {"kind": "oracle", "oracle": {"kind": "noisy", "flip": 0.1, "oracle": ENDPOINT}},
            "kind: endpoint",
        ),
        ("gpt-7", "'gpt-7' is no judge"),
        ("{kind: [", "is no YAML"),
        ("no/such/file.yaml", "no/such/file.yaml: cannot be read"),
    ],
)
def test_refusals_are_one_clear_line(source, message) -> None:
    with pytest.raises(UserError) as caught:
        read_judge(source, "--judge: {}".format)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_judges_with_one_name_are_refused() -> None:
    require_distinct(["a", "b"])
    with pytest.raises(InvalidSetting, match="two judges are called 'a'; give one of them a name"):
        require_distinct(["a", "b", "a"])


def test_the_page_on_judges_names_every_kind_and_key() -> None:
    page = (Path(__file__).parents[3] / "docs/judges.md").read_text()
    for kind, settings in KINDS.items():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{kind}` |"))
        assert all(f"`{key}`" in row for key in settings.model_fields if key != "kind")


def test_the_page_on_judges_names_every_agreement_figure() -> None:
    from evaluation.agreement import OneJudge

    page = (Path(__file__).parents[3] / "docs/judges.md").read_text()
    for figure in OneJudge.__dataclass_fields__:
        assert figure == "verdicts" or f"`{figure}`" in page
