import json

import pytest

from evaluation.data.catalog import Catalog, KnownFile, catalog, chosen, entry
from evaluation.data.contents import content_sha256, content_size, spellings
from mnpo.errors import InvalidSetting
from mnpo.validation import check

ROLES = {
    "alpaca-eval": {
        "reference", "df_gamed", "instruction_difficulty", "weights", "judge_prompt",
        "judge_config", "leaderboard",
    },
    "arena-hard-v0.1": {"questions", "baseline_answers", "config", "judge_prompts"},
    "arena-hard-v2.0": {
        "questions", "baseline_answers", "baseline_answers_creative", "config", "judge_prompts",
    },
    "mt-bench": {
        "questions",
        "reference_answers",
        "judge_prompts",
        "corrected_references",
        "baseline_answers",
    },
    "llmbar": {"dataset"},
    "mini": set(),
}  # fmt: skip


@pytest.mark.parametrize("benchmark", ROLES)
def test_roles_that_others_count_on(benchmark):
    assert set(entry(benchmark).roles) == ROLES[benchmark]


def test_addresses_are_pinned_and_everything_has_a_licence():
    for name, known in catalog().items():
        assert known.licence
        for role in known.roles:
            assert known.licence_of(role)
            for variant in known.roles[role].variants:
                for file in variant.files:
                    assert file.url is None or any(
                        len(part) == 40 and set(part) <= set("0123456789abcdef")
                        for part in file.url.split("/")
                    ), f"{name}/{role}: {file.url}"
                    assert file.paths, f"{name}/{role}"


def test_one_content_is_one_file():
    places: dict[str, set[str]] = {}
    for name, known in catalog().items():
        for role_name, role in known.roles.items():
            for variant in role.variants:
                for file in variant.files:
                    if file.sha256:
                        places.setdefault(file.sha256, set()).add(f"{name}/{role_name}/{file.name}")
    assert max(map(len, places.values())) == 1


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", "", "a\\..\\b", "a\0b", "a/./b"],
)
def test_no_path_leaves_its_folder(path):
    with pytest.raises(ValueError, match=r"path|folder"):
        KnownFile(name=path)
    with pytest.raises(ValueError, match=r"path|folder"):
        KnownFile(name="a", paths=(path,))


def test_only_https_addresses():
    with pytest.raises(ValueError, match="no https"):
        KnownFile(name="a", url="http://example.org/a")


def test_an_unknown_key_of_the_registry_is_said():
    with pytest.raises(InvalidSetting, match=r"unknown key 'benchmark'.*benchmarks"):
        check(Catalog, {"version": 1, "benchmarks": {}, "benchmark": {}})


def test_names():
    assert list(chosen(["mt-bench/questions", "mt-bench/questions"])) == [("mt-bench", "questions")]
    assert {name for name, _ in chosen([])} == {n for n, known in catalog().items() if known.roles}
    with pytest.raises(InvalidSetting, match="'mtbench'; did you mean 'mt-bench'"):
        list(chosen(["mtbench"]))
    with pytest.raises(InvalidSetting, match="no role 'question'; did you mean 'questions'"):
        list(chosen(["mt-bench/question"]))
    with pytest.raises(InvalidSetting, match="no role ''"):
        list(chosen(["mt-bench/"]))


@pytest.mark.shared_data
def test_hashes_are_those_of_the_reference_data(shared_data):
    folder = shared_data / "data"
    listed = {
        file["file"]: file for file in json.loads((folder / "MANIFEST.json").read_text())["files"]
    }
    seen = 0
    for known in catalog().values():
        for role in known.roles.values():
            for variant in role.variants:
                for file in variant.files:
                    for path in file.paths:
                        for name in spellings(path):
                            if name not in listed:
                                continue
                            seen += 1
                            assert content_sha256(folder / name) == file.sha256, name
                            assert content_size(folder / name) == file.bytes, name
                            commit = listed[name]["commit"]
                            if file.url and "googl" not in file.url:
                                assert commit in file.url
    assert seen >= 30
