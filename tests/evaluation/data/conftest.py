import pytest
from benchmark_files import Files, serving, use_registry

from evaluation.data import download
from evaluation.data.store import Store


@pytest.fixture
def toys(monkeypatch):
    """The small registry instead of the real one."""
    return use_registry(monkeypatch)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache")


@pytest.fixture
def files():
    return Files()


@pytest.fixture
def mirror(files, monkeypatch):
    """A server on the loopback; the network is allowed, and waiting takes no time."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    with serving(files) as address:
        yield address
