import gzip
import threading

import pytest
from benchmark_files import PARTS, QUESTIONS

from evaluation.data.download import offline_reason
from evaluation.data.fetching import fetch, partial_file
from evaluation.data.find import find_files
from mnpo.errors import InvalidSetting, UserError

ADDRESS = "/files.example.org/repo/abc/data/question.jsonl"


def one(store, mirror, **options):
    (row,) = fetch(["toy/questions"], store=store, mirror=mirror, **options)
    return row


def partials(store):
    return list(store.folder.rglob(".partial/*"))


def test_all_of_it(toys, store, mirror, files):
    said = []
    rows = list(fetch(store=store, mirror=mirror, say=said.append))
    assert {f"{r.benchmark}/{r.role}": r.state for r in rows} == {
        "toy/questions": "fetched",
        "toy/table": "fetched",
        "toy/own": "nowhere",
        "sets/pairs": "fetched",
    }
    assert said == ["Toy: CC BY-NC 4.0", "Toy: MIT", "Sets: MIT"]
    assert find_files("toy", store=store)["questions"].read_bytes() == QUESTIONS
    pairs = find_files("sets", store=store)["pairs"]
    assert {n: (pairs / n).read_bytes() for n in PARTS} == PARTS
    assert store.manifest("toy").roles["questions"].source.startswith("https://files.example.org/")
    assert partials(store) == []
    asked = len(files.asked)
    assert one(store, mirror).state == "kept"
    assert len(files.asked) == asked
    assert one(store, mirror, again=True).state == "fetched"


def test_a_broken_connection_goes_on_where_it_broke(toys, store, mirror, files):
    files.cut_after = [100, 50]
    assert one(store, mirror).state == "fetched"
    assert [wanted for _, wanted in files.asked] == [None, "bytes=100-", "bytes=150-"]


def test_a_killed_fetch_goes_on_where_it_stopped(toys, store, mirror, files):
    files.cut_after = [100, 0, 0]
    row = one(store, mirror)
    assert row.state == "failed"
    assert "the connection broke" in row.detail
    assert find_files("toy", store=store).paths == {}
    assert one(store, mirror).state == "fetched"
    assert files.asked[-1][1] == "bytes=100-"


def test_a_server_that_cannot_resume(toys, store, mirror, files):
    files.ranges = False
    files.cut_after = [100]
    assert one(store, mirror).state == "fetched"
    assert find_files("toy", store=store)["questions"].read_bytes() == QUESTIONS


def test_without_an_announced_length(toys, store, mirror, files):
    files.announce = False
    assert one(store, mirror).state == "fetched"


def test_the_wrong_half_is_thrown_away(toys, store, mirror, files):
    folder = store.folder / "toy/.partial"
    folder.mkdir(parents=True)
    path = partial_file(folder, "questions", toys["toy"].roles["questions"].variants[0].files[0])
    path.write_bytes(b"?" * 100)
    assert one(store, mirror).state == "fetched"
    path.write_bytes(b"?" * len(QUESTIONS))  # as long as the file, and not it
    assert one(store, mirror, again=True).state == "fetched"
    path.write_bytes(b"?" * (len(QUESTIONS) + 5))
    assert one(store, mirror, again=True).state == "fetched"


def test_another_content_is_not_kept(toys, store, mirror, files):
    files.data[ADDRESS] = b"!" + QUESTIONS[1:]
    row = one(store, mirror)
    assert row.state == "failed"
    assert "expected" in row.detail
    assert "nothing was kept" in row.detail
    assert find_files("toy", store=store).paths == {}
    assert partials(store) == []


def test_a_zipped_answer_is_the_same_content(toys, store, mirror, files):
    files.data[ADDRESS] = gzip.compress(QUESTIONS)
    assert one(store, mirror).state == "fetched"


@pytest.mark.parametrize("announce", [True, False])
def test_too_large(toys, store, mirror, files, announce):
    files.announce = announce
    files.data[ADDRESS] = QUESTIONS * 50
    row = one(store, mirror)
    assert row.state == "failed"
    assert "larger than" in row.detail
    assert partials(store) == []


def test_one_failure_does_not_keep_the_others(toys, store, mirror, files):
    del files.data[ADDRESS]
    rows = {r.role: r for r in fetch(["toy"], store=store, mirror=mirror)}
    assert rows["questions"].state == "failed"
    assert "404" in rows["questions"].detail
    assert rows["table"].state == "fetched"
    assert sum(path == ADDRESS for path, _ in files.asked) == 1  # refused is refused


def test_a_failing_server_is_asked_again(toys, store, mirror, files):
    files.statuses = [503, 429]
    assert one(store, mirror).state == "fetched"
    files.statuses = [500, 500, 500]
    row = one(store, mirror, again=True)
    assert row.state == "failed"
    assert "500" in row.detail
    assert store.intact("toy", "questions")  # what was there is untouched


def test_a_redirect_must_not_leave_https(toys, store, mirror, files):
    files.redirect[ADDRESS] = "http://files.example.org/plain"
    assert "only https" in one(store, mirror).detail
    files.redirect[ADDRESS] = "ftp://files.example.org/plain"
    assert one(store, mirror).state == "failed"
    files.redirect[ADDRESS] = f"{mirror}/moved"
    files.data["/moved"] = QUESTIONS
    assert one(store, mirror).state == "fetched"


def test_a_plain_mirror_elsewhere_is_refused(toys, store, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    row = one(store, "http://mirror.example.org")
    assert row.state == "failed"
    assert "only https" in row.detail


def test_a_hanging_server(toys, store, mirror, files):
    files.hang = threading.Event()
    try:
        row = one(store, mirror, patience=0.2)
    finally:
        files.hang.set()
    assert row.state == "failed"
    assert "not in reach" in row.detail


def test_nobody_there(toys, store, mirror):
    row = one(store, "http://127.0.0.1:9")
    assert row.state == "failed"
    assert "mnpo-bench data import DIR" in row.detail


def test_offline_refuses_before_anything(toys, store, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match=r"^HF_HUB_OFFLINE is set, so nothing is fetched"):
        one(store, None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with pytest.raises(UserError, match=r"^--offline was given"):
        one(store, None, offline=True)
    assert not store.folder.exists()
    with pytest.raises(InvalidSetting, match="unknown benchmark"):
        list(fetch(["toi"], store=store))


@pytest.mark.parametrize("value", ["1", "true", "YES", "On"])
def test_what_counts_as_offline(value):
    assert offline_reason({"HF_HUB_OFFLINE": value})
    assert not offline_reason({"HF_HUB_OFFLINE": "0"})
    assert not offline_reason({})


def test_two_at_once_fetch_once(toys, store, mirror, files):
    states = []
    threads = [
        threading.Thread(target=lambda: states.append(one(store, mirror).state)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["fetched", "kept", "kept", "kept"]
    assert len(files.asked) == 1
