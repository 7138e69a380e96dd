"""From a name to a checkpoint: the cache, folders, the hub, and one line for each mistake."""

import os
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import huggingface_hub
import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from mnpo.errors import DamagedRun, InvalidSetting, UserError
from mnpo.training.models import tiny
from mnpo.training.models.cache import cache_folder
from mnpo.training.models.hub import PATTERNS, download
from mnpo.training.models.resolve import resolve
from mnpo.training.models.settings import ModelSettings


@pytest.fixture
def made(monkeypatch, make_model, tokenizer):
    """Counts how often the embedded model is made; a random one stands for it."""
    calls = []

    def make_tiny(seed=0):
        calls.append(seed)
        return make_model(), tokenizer

    monkeypatch.setattr(tiny, "make_tiny", make_tiny)
    return calls


def test_the_embedded_model_is_made_once(made, tmp_path) -> None:
    first = resolve("tiny", tmp_path)
    assert resolve(ModelSettings(), tmp_path) == first
    assert len(made) == 1
    assert first.path.parent == tmp_path


def test_a_damaged_embedded_model_is_made_again(made, tmp_path) -> None:
    first = resolve("tiny", tmp_path)
    (first.path / "model.safetensors").write_bytes(b"x")
    assert resolve("tiny", tmp_path) == first
    (first.path / "hashes.json").unlink()
    assert resolve("tiny", tmp_path) == first
    assert len(made) == 3


def test_a_folder_is_checked_and_used_where_it_is(saved, tmp_path, monkeypatch) -> None:
    assert resolve(str(saved.path)) == saved
    monkeypatch.chdir(tmp_path)
    assert resolve("policy").sha256 == saved.sha256
    (saved.path / "hashes.json").unlink()  # not saved by us, as a downloaded one
    assert resolve(str(saved.path)) == saved


def test_a_changed_policy_of_ours_is_refused(saved) -> None:
    (saved.path / "chat_template.jinja").write_text("other")
    with pytest.raises(DamagedRun, match=r"chat_template\.jinja: has changed"):
        resolve(str(saved.path))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tinny", "did you mean 'tiny'?"),
        ("smollm2", "did you mean 'smollm2-135m'?"),
        ("./nowhere", "'./nowhere': no such folder"),
        ("/no/such/place", "'/no/such/place': no such folder"),
        ("~/no-such-model", "no such folder"),
        ("~nobody-of-that-name/model", "no such folder"),
        ("", "neither known"),
        ("smollm2-135m", "run: mnpo-bench models fetch smollm2-135m"),
    ],
)
def test_wrong_names_are_one_line(name, said, tmp_path) -> None:
    with pytest.raises(UserError, match=r"(model|fetch)") as refused:
        resolve(name, tmp_path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_name_is_an_invalid_setting(tmp_path) -> None:
    with pytest.raises(InvalidSetting):
        resolve("tinny", tmp_path)


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MNPO_BENCH_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("MNPO_BENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / "mnpo-bench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "mnpo-bench"


def test_two_processes_make_it_once(tmp_path) -> None:
    code = """
import sys, time
from pathlib import Path
from mnpo.training.models.cache import only_one
folder = Path(sys.argv[1])
with only_one(folder / "lock"):
    assert not (folder / "inside").exists()
    (folder / "inside").touch()
    time.sleep(0.3)
    (folder / "inside").unlink()
"""
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]


def hub_error(kind):
    request = httpx.Request("GET", "https://hub.invalid/api/models/a/b")
    return kind("a long story\nin lines", response=httpx.Response(404, request=request))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (hub_error(RepositoryNotFoundError), "no such model on the hub"),
        (hub_error(GatedRepoError), "grant access on request"),
        (hub_error(RevisionNotFoundError), "has no revision 'v1'"),
        (LocalEntryNotFoundError("offline"), "HF_HUB_OFFLINE is set"),
        (ConnectionError("refused\nat once"), r"could not be downloaded \(refused\)"),
    ],
)
def test_what_the_hub_refuses_is_one_line(monkeypatch, error, said) -> None:
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(UserError, match=said) as refused:
        resolve(ModelSettings(name="owner/model", revision="v1"))
    assert "\n" not in str(refused.value)


def test_offline_the_real_client_says_so() -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    with pytest.raises(UserError, match=r"owner/no-such-model: not in the local cache"):
        download("owner/no-such-model", None)
    with pytest.raises(UserError, match="not a model's name"):
        download("owner/../model", None)


@pytest.mark.parametrize("trusted", [False, True])
def test_from_the_hub_come_safetensors_and_code_only_if_trusted(
    monkeypatch, saved, trusted, tmp_path
) -> None:
    from fnmatch import fnmatch

    asked = {}

    def snapshot(name, *, revision, allow_patterns):
        asked.update(name=name, revision=revision, patterns=allow_patterns)
        return str(saved.path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    settings = ModelSettings(name="owner/model", revision="v1", trust_remote_code=trusted)
    assert resolve(settings) == saved
    assert (asked["name"], asked["revision"]) == ("owner/model", "v1")

    def fetched(file):
        return any(fnmatch(file, pattern) for pattern in asked["patterns"])

    assert not any(map(fetched, ["pytorch_model.bin", "consolidated.pth", "a.pt", "a.gguf"]))
    assert all(map(fetched, ["model-00001-of-2.safetensors", "tokenizer.model", "config.json"]))
    assert fetched("modeling.py") is trusted
    assert "*.py" not in PATTERNS
    (saved.path / "hashes.json").unlink()
    (saved.path / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"offers no \.safetensors"):
        resolve(settings)
