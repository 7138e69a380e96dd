import gzip
import json

import pytest
from benchmark_files import PARTS, QUESTIONS, REBUILT, write_official

from evaluation.data.find import find_files
from evaluation.data.importing import import_folder
from evaluation.data.store import Store
from mnpo.errors import DamagedRun, InvalidSetting, UserError


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "given"
    path.mkdir()
    return path


def states(taken):
    return {f"{row.benchmark}/{row.role}": row.state for row in taken}


@pytest.mark.parametrize("zipped", [False, True])
def test_the_official_layout(toys, store, folder, zipped):
    taken = list(import_folder(write_official(folder, zipped=zipped), store=store))
    assert states(taken) == {
        "toy/questions": "imported",
        "toy/table": "imported",
        "toy/own": "optional",
        "sets/pairs": "imported",
    }
    files = find_files("toy", store=store)
    assert set(files.paths) == {"questions", "table"}
    data = files["questions"].read_bytes()
    assert (gzip.decompress(data) if zipped else data) == QUESTIONS
    assert files["questions"].name == ("question.jsonl.gz" if zipped else "question.jsonl")
    pairs = find_files("sets", store=store)
    for name, content in PARTS.items():
        kept = (pairs["pairs"] / f"{name}.gz") if zipped else pairs["pairs"] / name
        assert (gzip.decompress(kept.read_bytes()) if zipped else kept.read_bytes()) == content
    assert pairs["folder"] == pairs["pairs"].parent == store.folder / "sets"
    # A second import touches nothing but what no hash tells apart.
    before = files["questions"].stat().st_mtime_ns
    again = states(import_folder(folder, store=store))
    assert again["toy/questions"] == "kept"
    assert files["questions"].stat().st_mtime_ns == before
    assert all(row.state == "ok" for row in store.verify(["toy", "sets"]))


def test_a_copy_does_not_follow_the_original(toys, store, folder):
    write_official(folder)
    list(import_folder(folder, ["toy/questions"], store=store))
    (folder / "data/toy/question.jsonl").write_bytes(b"edited")
    assert find_files("toy", store=store)["questions"].read_bytes() == QUESTIONS


def test_found_by_content_under_another_name(toys, store, folder):
    (folder / "deep/er").mkdir(parents=True)
    (folder / "deep/er/whatever.bin").write_bytes(gzip.compress(QUESTIONS))
    (folder / "decoy").write_bytes(bytes(len(QUESTIONS)))
    (taken,) = import_folder(folder, ["toy/questions"], store=store)
    assert (taken.state, taken.form) == ("imported", "official")
    path = find_files("toy", store=store)["questions"]
    assert path.read_bytes() == QUESTIONS or gzip.decompress(path.read_bytes()) == QUESTIONS


def test_a_changed_file_is_refused_and_taken_only_on_request(toys, store, folder):
    path = folder / "toy/question.jsonl"
    path.parent.mkdir()
    path.write_bytes(QUESTIONS + b"{}\n")
    (taken,) = import_folder(folder, ["toy/questions"], store=store)
    assert taken.state == "refused"
    assert str(path) in taken.detail
    assert "--accept-changed" in taken.detail
    assert find_files("toy", store=store).paths == {}
    (taken,) = import_folder(folder, ["toy/questions"], accept_changed=True, store=store)
    assert (taken.state, taken.form) == ("imported", "changed")
    # The known one takes its place, and a changed one does not come back.
    path.write_bytes(QUESTIONS)
    (taken,) = import_folder(folder, ["toy/questions"], store=store)
    assert (taken.state, taken.form) == ("imported", "official")
    path.write_bytes(b"x")
    (taken,) = import_folder(folder, ["toy/questions"], accept_changed=True, store=store)
    assert (taken.state, taken.form) == ("kept", "official")


def test_a_bare_name_says_little(toys, store, folder):
    (folder / "question.jsonl").write_bytes(b"of quite another benchmark\n")
    (taken,) = import_folder(folder, ["toy/questions"], accept_changed=True, store=store)
    assert taken.state == "missing"
    assert find_files("toy", folder, store=store).paths == {}
    (folder / "question.jsonl").write_bytes(QUESTIONS)
    assert find_files("toy", folder, store=store)["questions"] == folder / "question.jsonl"


def test_the_official_form_goes_before_a_reconstructed_one(toys, store, folder):
    (folder / "toy").mkdir()
    (folder / "toy/rebuilt.csv").write_bytes(REBUILT)
    (taken,) = import_folder(folder, ["toy/table"], store=store)
    assert (taken.state, taken.form, taken.detail) == ("imported", "reconstructed", "by us")
    old = find_files("toy", store=store)["table"]
    (folder / "toy/table.csv").write_bytes(b"x\n1\n3\n")
    (taken,) = import_folder(folder, ["toy/table"], store=store)
    assert taken.form == "official"
    assert not old.exists()
    (folder / "toy/table.csv").unlink()
    (taken,) = import_folder(folder, ["toy/table"], store=store)
    assert (taken.state, taken.form) == ("kept", "official")


def test_half_a_folder_is_no_folder(toys, store, folder):
    write_official(folder)
    (folder / "sets/two/set.json").unlink()
    (taken,) = import_folder(folder, ["sets"], store=store)
    assert taken.state == "missing"
    assert "pairs" not in find_files("sets", folder, store=store).paths


def test_the_users_own_file(toys, store, folder):
    (folder / "toy").mkdir()
    (folder / "toy/own.jsonl").write_bytes(b"{}\n")
    (taken,) = import_folder(folder, ["toy/own"], store=store)
    assert (taken.state, taken.form) == ("imported", "own")
    (folder / "toy/own.jsonl").write_bytes(b'{"a": 1}\n')
    list(import_folder(folder, ["toy/own"], store=store))
    assert find_files("toy", store=store)["own"].read_bytes() == b'{"a": 1}\n'


def test_a_broken_import_is_taken_up_again(toys, store, folder, monkeypatch):
    write_official(folder)
    from evaluation.data import store as module

    real, calls = module.write_atomically, []

    def full(path, content):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(path))
        real(path, content)

    monkeypatch.setattr(module, "write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        list(import_folder(folder, ["toy"], store=store))
    assert find_files("toy", store=store).paths == {}  # the manifest names only whole things
    monkeypatch.setattr(module, "write_atomically", real)
    assert states(import_folder(folder, ["toy"], store=store))["toy/questions"] == "imported"


def test_verify_says_what_changed_and_what_is_gone(toys, store, folder):
    list(import_folder(write_official(folder), store=store))
    find_files("toy", store=store)["questions"].write_bytes(b"edited")
    (find_files("sets", store=store)["pairs"] / "two/set.json").unlink()
    found = {(row.role, row.path.parent.name): row.state for row in store.verify(["toy", "sets"])}
    assert found == {
        ("questions", "questions"): "changed",
        ("table", "table"): "ok",
        ("pairs", "one"): "ok",
        ("pairs", "two"): "missing",
    }
    assert "pairs" not in find_files("sets", store=store).paths
    # An import mends both.
    list(import_folder(folder, store=store))
    assert all(row.state == "ok" for row in store.verify(["toy", "sets"]))


@pytest.mark.parametrize("name", ["../../outside", "/etc/passwd", "questions/../../x"])
def test_a_manifest_cannot_point_outside(toys, store, folder, name):
    list(import_folder(write_official(folder), ["toy/questions"], store=store))
    path = store.folder / "toy/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["roles"]["questions"]["path"] = name
    path.write_text(json.dumps(manifest))
    with pytest.raises(DamagedRun, match="manifest"):
        find_files("toy", store=store)
    path.write_text("{")
    with pytest.raises(DamagedRun, match="is damaged"):
        find_files("toy", store=store)


def test_a_copied_cache_is_a_data_folder(toys, store, folder, tmp_path):
    list(import_folder(write_official(folder), store=store))
    elsewhere = Store(tmp_path / "empty")
    assert find_files("toy", store.folder, store=elsewhere)["questions"].read_bytes() == QUESTIONS
    (tmp_path / "moved").mkdir()
    store.folder.rename(tmp_path / "moved/benchmarks")
    found = find_files("toy", tmp_path / "moved", store=elsewhere)
    assert found["questions"].read_bytes() == QUESTIONS


def test_bad_input(toys, store, tmp_path):
    with pytest.raises(InvalidSetting, match="no such folder"):
        list(import_folder(tmp_path / "nowhere", store=store))
    with pytest.raises(InvalidSetting, match="no such folder"):
        find_files("toy", tmp_path / "nowhere", store=store)
    with pytest.raises(InvalidSetting, match="unknown benchmark 'tory'; did you mean 'toy'"):
        find_files("tory", store=store)
    with pytest.raises(UserError, match="mnpo-bench data import DIR"):
        find_files("toy", store=store)["questions"]


@pytest.mark.shared_data
def test_the_reference_data(shared_data, store):
    taken = {
        f"{row.benchmark}/{row.role}": row
        for row in import_folder(shared_data / "data", store=store)
    }
    missing = {name for name, row in taken.items() if row.state not in ("imported",)}
    assert missing == {
        "arena-hard-v0.1/judge_prompts",
        "arena-hard-v2.0/judge_prompts",
        "arena-hard-v2.0/baseline_answers_creative",
        "mt-bench/corrected_references",
        "mt-bench/baseline_answers",
        "lm-eval/gpqa",
    }
    assert taken["alpaca-eval/df_gamed"].form == "reconstructed"
    assert taken["mt-bench/questions"].form == "official"
    for benchmark in ("alpaca-eval", "arena-hard-v0.1", "mt-bench", "llmbar", "lm-eval"):
        direct = find_files(benchmark, shared_data / "data", store=Store(store.folder / "none"))
        cached = find_files(benchmark, store=store)
        assert set(direct.paths) == set(cached.paths)
    assert (find_files("lm-eval", store=store)["folder"] / "gsm8k").is_dir()


def test_the_installed_package_has_some(store):
    found = find_files("alpaca-eval", store=store)
    assert found["judge_prompt"].name == "alpaca_eval_clf.txt"
    assert "reference" not in found.paths
