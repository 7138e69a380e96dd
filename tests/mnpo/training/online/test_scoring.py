"""Log-probs of an update's responses: shared out among processes, computed once."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.logprobs.store import LogProbStore
from mnpo.training.online import scoring
from mnpo.training.online.scoring import PIECE, anchor_log_probs
from mnpo.training.tokens import TokenContract

CONTRACT = TokenContract(tokenizer="a" * 64, template="b" * 64, end_ids=(0,), pad_id=0)


class Killed(Exception):
    """In place of a kill."""


def dataset(prepared, groups: int) -> GroupDataset:
    made = []
    for number, item in enumerate(prepared(groups)):
        sizes = range(1, 2 + number % 3)
        responses = tuple(Response((5,) * size, "x" * size, True) for size in sizes)
        made.append(Group(item.prompt, item.ids, responses))
    return GroupDataset(CONTRACT, tuple(made))


class Scorer:
    """In place of a model: a value for each group, and a record of the groups scored."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def __call__(self, bench, checkpoint, data):
        self.seen += [group.prompt_ids for group in data.groups]
        return [
            -np.arange(1, len(group.responses) + 1) / (1 + group.prompt_ids[-1])
            for group in data.groups
        ]


def bench_of(folder, world):
    return SimpleNamespace(log_probs=LogProbStore(folder), world=world)


@pytest.mark.parametrize("groups", [3, PIECE, 2 * PIECE + 5])
def test_processes_share_the_groups_and_find_the_same(
    tmp_path, monkeypatch, on_ranks, policy, prepared, groups
):
    data, anchors = dataset(prepared, groups), ((policy("a"), 0.75), (policy("b"), 0.25))
    scorer = Scorer()
    monkeypatch.setattr(scoring, "_score", scorer)

    def work(folder):
        return lambda world: anchor_log_probs(bench_of(folder, world), anchors, data)

    (alone,) = on_ranks(1, work(tmp_path / "one"))
    assert len(scorer.seen) == 2 * groups
    scorer.seen.clear()
    for found in on_ranks(2, work(tmp_path / "two")):
        assert len(found) == groups
        for mine, expected in zip(found, alone, strict=True):
            np.testing.assert_array_equal(mine, expected)
    assert sorted(scorer.seen) == sorted([g.prompt_ids for g in data.groups] * 2)
    on_ranks(2, work(tmp_path / "two"))
    assert len(scorer.seen) == 2 * groups, "scored again though it was in the store"
    assert not list((tmp_path / "two").glob("*.pieces"))


def test_pieces_of_a_killed_run_are_taken_over(tmp_path, monkeypatch, on_ranks, policy, prepared):
    data, anchors = dataset(prepared, 3 * PIECE), ((policy("a"), 1.0),)
    first = Scorer()

    def work(world):
        return anchor_log_probs(bench_of(tmp_path, world), anchors, data)

    def kill_the_second(bench, checkpoint, part):
        if bench.world.rank == 0:
            return first(bench, checkpoint, part)
        while len(list(tmp_path.glob("*.pieces/*.json"))) < 2:
            time.sleep(0.01)
        raise Killed

    monkeypatch.setattr(scoring, "_score", kill_the_second)
    with pytest.raises((Killed, threading.BrokenBarrierError)):
        on_ranks(2, work)
    first.seen.clear()
    monkeypatch.setattr(scoring, "_score", first)
    on_ranks(2, work)
    assert len(first.seen) == PIECE, "rank 0's two pieces were finished before"
