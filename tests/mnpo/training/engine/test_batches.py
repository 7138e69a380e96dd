"""The batch plan: nothing lost, nothing doubled, everybody equally busy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import InvalidSetting
from mnpo.training.engine.batches import idle_processes, plan_batches

lengths = st.lists(st.integers(1, 50), min_size=1, max_size=30)


@given(lengths, st.integers(1, 9), st.integers(1, 120), st.integers(1, 3), st.integers(1, 5))
def test_every_group_once_an_epoch(counts, batch_size, budget, epochs, world) -> None:
    plan = plan_batches(
        counts,
        batch_size=batch_size,
        micro_batch_tokens=budget,
        epochs=epochs,
        seed=3,
        world_size=world,
    )
    steps = -(-len(counts) // batch_size)
    assert len(plan) == steps * epochs
    for epoch in range(epochs):
        part = plan[epoch * steps : (epoch + 1) * steps]
        assert sorted(i for step in part for i in step.groups) == list(range(len(counts)))
        assert [step.size for step in part[:-1]] == [batch_size] * (steps - 1)
    for step in plan:
        assert len(step.micro_batches) == world
        assert len({len(rank) for rank in step.micro_batches}) == 1
        for micro_batch in (m for rank in step.micro_batches for m in rank):
            used = sum(counts[i] for i in micro_batch.groups)
            assert used <= budget or len(micro_batch.groups) == 1
            assert micro_batch.groups


@given(lengths, st.integers(1, 9), st.integers(1, 120), st.integers(1, 5))
def test_the_split_does_not_move_groups_between_steps(counts, batch_size, budget, world) -> None:
    def groups(**split):
        plan = plan_batches(counts, batch_size=batch_size, epochs=2, seed=0, **split)
        return [step.groups for step in plan]

    assert groups(micro_batch_tokens=budget, world_size=world) == groups(micro_batch_tokens=1)


def test_epochs_and_seeds_shuffle() -> None:
    def order(seed, epochs=2):
        plan = plan_batches([5] * 20, batch_size=1, micro_batch_tokens=9, epochs=epochs, seed=seed)
        return [step.groups[0] for step in plan]

    assert order(0) == order(0)
    assert order(0)[:20] != order(0)[20:]
    assert order(0) != order(1)
    assert order(0, epochs=1) == order(0)[:20]


@given(lengths, st.integers(1, 9), st.integers(1, 120), st.integers(1, 5))
def test_passes_are_the_same_on_any_number_of_processes(counts, batch_size, budget, world) -> None:
    def rows(world_size):
        plan = plan_batches(
            counts, batch_size=batch_size, micro_batch_tokens=budget, epochs=1, seed=0,
            world_size=world_size,
        )  # fmt: skip
        return [
            sorted(m.groups for rank in step.micro_batches for m in rank if m.counts)
            for step in plan
        ]

    assert rows(world) == rows(1)


@pytest.mark.parametrize("budget", [1000, 300, 130, 70])
@pytest.mark.parametrize("world", [1, 2, 4, 8])
def test_processes_get_about_as_many_tokens(world: int, budget: int) -> None:
    counts = list(range(1, 65))
    (step,) = plan_batches(
        counts, batch_size=64, micro_batch_tokens=budget, epochs=1, seed=0, world_size=world
    )
    loads = [
        sum(counts[i] for m in rank if m.counts for i in m.groups) for rank in step.micro_batches
    ]
    if world <= 2 or budget < 1000:
        assert max(loads) <= 1.1 * min(loads)
        assert idle_processes((step,)) == 0
    passes = sum(m.counts for rank in step.micro_batches for m in rank)
    assert passes <= 2 * -(-sum(counts) // budget) + 8


def test_more_processes_than_passes() -> None:
    plan = plan_batches([7, 3], batch_size=8, micro_batch_tokens=9, epochs=1, seed=0, world_size=4)
    (step,) = plan
    fillers = [m for rank in step.micro_batches for m in rank if not m.counts]
    assert len(fillers) == 2
    assert all(filler.groups == (1,) for filler in fillers)
    assert step.size == 2
    assert idle_processes(plan) == 0  # two groups keep two busy at most
    together = plan_batches([7, 3], batch_size=8, micro_batch_tokens=10, epochs=1, seed=0,
                            world_size=4)  # fmt: skip
    assert idle_processes(together) == 1


@pytest.mark.parametrize("wrong", ["batch_size", "micro_batch_tokens", "epochs", "world_size"])
def test_numbers_below_one(wrong) -> None:
    fine = {"batch_size": 1, "micro_batch_tokens": 1, "epochs": 1, "world_size": 1}
    with pytest.raises(InvalidSetting, match=f"{wrong} must be at least 1, got 0"):
        plan_batches([1], seed=0, **fine | {wrong: 0})


def test_nothing_to_train_on() -> None:
    with pytest.raises(InvalidSetting, match="no group"):
        plan_batches([], batch_size=1, micro_batch_tokens=1, epochs=1, seed=0)
