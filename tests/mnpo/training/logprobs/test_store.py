import logging
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from mnpo.conversation import Message
from mnpo.errors import InvalidSetting, UserError
from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.data.prompts import Prompt
from mnpo.training.logprobs.store import LogProbStore, mix
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.tokens import TokenContract

POLICY = PolicyCheckpoint(Path("somewhere"), "a" * 64)
PROMPT = Prompt((Message("user", "Why?"),))
SUMS = [np.array([-1.0, -2.5]), np.array([-0.25, -3.0, -1 / 3])]


def dataset(first=1):
    contract = TokenContract("t", "c", (0,), 0)
    responses = [[(first,), (2, 3)], [(4,), (5, 6), (7, 8, 9)]]
    return GroupDataset(
        contract,
        tuple(
            Group(PROMPT, (1, 2), tuple(Response(ids, "", True) for ids in group))
            for group in responses
        ),
    )


def never():
    raise AssertionError("computed again")


def same(found):
    assert all(np.array_equal(a, b) for a, b in zip(found.sums, SUMS, strict=True))
    assert [each.tolist() for each in found.lengths] == [[1, 2], [1, 2, 3]]


def test_computed_once_and_read_bit_for_bit(tmp_path):
    same(LogProbStore(tmp_path / "new" / "folder").get(POLICY, dataset(), lambda: SUMS))
    same(LogProbStore(tmp_path / "new" / "folder").get(POLICY, dataset(), never))


def test_no_groups(tmp_path):
    empty = GroupDataset(dataset().contract, ())
    assert LogProbStore(tmp_path).get(POLICY, empty, list).sums == ()
    assert LogProbStore(tmp_path).get(POLICY, empty, never).sums == ()


@pytest.mark.parametrize("other", ["policy", "dataset", "precision"])
def test_another_policy_dataset_or_precision_is_computed(tmp_path, other):
    LogProbStore(tmp_path).get(POLICY, dataset(), lambda: SUMS)
    policy = PolicyCheckpoint(POLICY.path, "b" * 64) if other == "policy" else POLICY
    data = dataset(first=9) if other == "dataset" else dataset()
    store = LogProbStore(tmp_path, "bfloat16" if other == "precision" else "float32")
    with pytest.raises(AssertionError, match="computed again"):
        store.get(policy, data, never)


def test_the_same_policy_elsewhere_is_the_same(tmp_path):
    LogProbStore(tmp_path).get(POLICY, dataset(), lambda: SUMS)
    same(LogProbStore(tmp_path).get(PolicyCheckpoint(Path("b"), "a" * 64), dataset(), never))


def flip(at):
    def damage(content):
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    return damage


@pytest.mark.parametrize(
    "damage",
    [flip(3), flip(64), flip(200), flip(-20), lambda c: c[:-1], lambda c: c[:10], lambda c: b""],
    ids=["seal", "newline", "data", "end", "cut by one", "cut", "empty"],
)
def test_a_damaged_file_is_reported_and_computed_anew(tmp_path, caplog, damage):
    store = LogProbStore(tmp_path)
    store.get(POLICY, dataset(), lambda: SUMS)
    path = store.path(POLICY, dataset())
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    with caplog.at_level(logging.WARNING):
        same(store.get(POLICY, dataset(), lambda: SUMS))
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is damaged (its hash does not match); its log-probs are computed anew"
    ]
    assert path.read_bytes() == whole
    same(store.get(POLICY, dataset(), never))


def test_a_file_under_another_name_is_not_used(tmp_path):
    store = LogProbStore(tmp_path)
    store.get(POLICY, dataset(), lambda: SUMS)
    other = PolicyCheckpoint(POLICY.path, "b" * 64)
    store.path(POLICY, dataset()).rename(store.path(other, dataset()))
    with pytest.raises(AssertionError, match="computed again"):
        store.get(other, dataset(), never)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.1])
def test_refuses_impossible_log_probs_and_stores_nothing(tmp_path, bad):
    store = LogProbStore(tmp_path)
    sums = [SUMS[0], np.array([-1.0, -1.0, bad])]
    with pytest.raises(UserError, match="response 2 of group 1 under somewhere is"):
        store.get(POLICY, dataset(), lambda: sums)
    assert not store.path(POLICY, dataset()).exists()


def test_refuses_another_number_of_log_probs(tmp_path):
    store = LogProbStore(tmp_path)
    with pytest.raises(UserError, match="1 groups for a data set of 2"):
        store.get(POLICY, dataset(), lambda: SUMS[:1])
    with pytest.raises(UserError, match="group 0 has 2 responses"):
        store.get(POLICY, dataset(), lambda: [SUMS[1], SUMS[1]])


def _compute_slowly(folder, number):
    def compute():
        (folder / f"called-{number}").touch()
        time.sleep(0.3)
        return SUMS

    same(LogProbStore(folder).get(POLICY, dataset(), compute))


def test_two_processes_compute_once(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_compute_slowly, args=(tmp_path, i)) for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(list(tmp_path.glob("called-*"))) == 1


def test_a_failed_computation_leaves_the_store_open(tmp_path):
    store = LogProbStore(tmp_path)
    with pytest.raises(AssertionError):
        store.get(POLICY, dataset(), never)
    same(store.get(POLICY, dataset(), lambda: SUMS))


def test_mix_is_the_weighted_sum():
    other = [np.array([-2.0, 0.0]), np.array([-1.0, -1.0, -1.0])]
    mixed = mix([SUMS, other], [0.75, -0.5])
    assert [each.tolist() for each in mixed] == [
        [-0.75 + 1.0, -1.875],
        [-0.1875 + 0.5, -2.25 + 0.5, -0.25 + 0.5],
    ]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_mix_refuses_weights_that_are_not_finite(bad):
    with pytest.raises(InvalidSetting, match="weight 1 of the anchors is"):
        mix([SUMS, SUMS], [0.5, bad])


def test_mix_refuses_other_shapes():
    with pytest.raises(InvalidSetting, match="1 weights for 2 anchors"):
        mix([SUMS, SUMS], [1.0])
    with pytest.raises(InvalidSetting, match="at least one"):
        mix([], [])
    with pytest.raises(UserError, match="anchor 1 was scored on other groups"):
        mix([SUMS, SUMS[::-1]], [0.5, 0.5])
