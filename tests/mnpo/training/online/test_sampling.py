import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.training import stages
from mnpo.training.data.prompts import Prompt
from mnpo.training.online.sampling import SamplingTask, allocate, sample_groups
from mnpo.training.recipe import SamplingSettings, ServerSettings
from mnpo.training.stages import SCRATCH, StageStore

SETTINGS = SamplingSettings(responses=4, shard_size=3)


@pytest.fixture
def task(policy, prepared):
    """Ten prompts, two components, K = 4: four shards for each component."""
    components = ((((policy("a"), 1.0),), 0.25), (((policy("b"), 0.5), (policy("a"), 0.5)), 0.75))
    return SamplingTask(prepared(10), components, responses=4, seed=11)


@pytest.fixture
def sample(contract, words):
    def run(store, task, backend, settings=SETTINGS):
        return sample_groups(
            store, task, backend=backend, settings=settings, contract=contract, tokenizer=words
        )

    return run


def with_components(task, *components, seed=11):
    return SamplingTask(task.prompts, components, task.responses, seed)


def test_every_prompt_gets_its_responses_from_its_components(tmp_path, sample, task, sampling):
    backend = sampling()
    found = sample(StageStore(tmp_path), task, backend)
    counts = allocate(10, 4, task.components, 11)
    assert len(found.groups) == 10
    for i, group in enumerate(found.groups):
        assert group.prompt == task.prompts[i].prompt
        assert group.prompt_ids == task.prompts[i].ids
        assert len(group.responses) == 4
        for component in (0, 1):
            assert sum(r.source == component for r in group.responses) == counts[component, i]
        assert all(r.text == " ".join(f"w{j}" for j in r.ids) for r in group.responses)
        assert all(r.finished for r in group.responses)
    assert [mixture for mixture, *_ in backend.draws] == [
        task.components[component][0] for component in (0, 0, 0, 0, 1, 1, 1, 1)
    ]
    seeds = [seed for *_, seed in backend.draws]
    assert len(set(seeds)) == len(seeds)


def test_it_is_done_once_and_the_next_run_reads_it(tmp_path, sample, task, sampling):
    first, second = sampling(), sampling()
    made = sample(StageStore(tmp_path), task, first)
    assert sample(StageStore(tmp_path), task, second) == made
    assert first.draws
    assert not second.draws


@pytest.mark.parametrize("fails_at", range(8))
def test_an_interrupted_run_draws_only_what_is_missing(
    tmp_path, sample, task, sampling, killed, fails_at
):
    whole = sampling()
    expected = sample(StageStore(tmp_path / "whole"), task, whole)
    broken, second = sampling(fails_at=fails_at), sampling()
    with pytest.raises(killed):
        sample(StageStore(tmp_path / "cut"), task, broken)
    found = sample(StageStore(tmp_path / "cut"), task, second)
    assert found == expected
    assert broken.draws + second.draws == whole.draws


def test_a_failure_while_sealing_costs_no_draw(tmp_path, sample, task, sampling, monkeypatch):
    expected = sample(StageStore(tmp_path / "whole"), task, sampling())

    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(stages, "write_atomically", full)
        with pytest.raises(OSError, match="No space"):
            sample(StageStore(tmp_path / "cut"), task, sampling())
    second = sampling()
    assert sample(StageStore(tmp_path / "cut"), task, second) == expected
    assert not second.draws


def test_a_damaged_shard_is_drawn_again(tmp_path, sample, task, sampling, killed):
    expected = sample(StageStore(tmp_path / "whole"), task, sampling())
    broken, second = sampling(fails_at=6), sampling()
    with pytest.raises(killed):
        sample(StageStore(tmp_path / "cut"), task, broken)
    (working,) = (tmp_path / "cut").glob(".sample-*.working")
    shards = sorted((working / SCRATCH).iterdir())
    assert len(shards) == 6
    shards[1].write_text(shards[1].read_text().replace("[", "[ ").replace("true", "false", 1))
    shards[4].write_text("")
    assert sample(StageStore(tmp_path / "cut"), task, second) == expected
    assert second.draws == [broken.draws[1], broken.draws[4], *second.draws[2:]]
    assert len(second.draws) == 4


@pytest.mark.parametrize("size", [2, 3])
def test_ranks_share_the_shards_and_the_result_is_the_same(
    tmp_path, sample, task, sampling, on_ranks, size
):
    alone = sampling()
    expected = sample(StageStore(tmp_path / "alone"), task, alone)
    backends = [sampling() for _ in range(size)]

    def work(world):
        return sample(StageStore(tmp_path / "ranks", world), task, backends[world.rank])

    assert on_ranks(size, work) == [expected] * size
    drawn = [draw for backend in backends for draw in backend.draws]
    assert sorted(draw[3] for draw in drawn) == sorted(draw[3] for draw in alone.draws)
    assert all(backend.draws for backend in backends)
    one, two = ((p / "groups.jsonl.gz") for q in tmp_path.iterdir() for p in q.glob("sample-*"))
    assert one.read_bytes() == two.read_bytes()


def test_responses_of_which_nothing_remains_are_dropped(tmp_path, sample, task, sampling):
    full = sample(StageStore(tmp_path / "full"), task, sampling(empty=True))
    assert all(response.ids for group in full.groups for response in group.responses)
    lengths = [len(group.responses) for group in full.groups]
    assert min(lengths) < 4
    assert max(lengths) <= 4
    assert len(full.groups) == 10


def test_the_order_of_responses_does_not_tell_the_component(tmp_path, sample, task, sampling):
    """Disjoint pairs of neighbours must be iid from the mixture, not one from each component."""
    many = SamplingTask(task.prompts * 20, task.components, 4, seed=5)
    found = sample(StageStore(tmp_path), many, sampling())
    sources = np.array([[r.source for r in group.responses] for group in found.groups])
    np.testing.assert_allclose(sources.mean(axis=0), 0.75, atol=0.1)
    both = (sources[:, 0] == 1) & (sources[:, 1] == 1)
    assert both.mean() == pytest.approx(0.75**2, abs=0.1)


def test_two_methods_with_one_task_share_a_stage(tmp_path, sample, task, sampling, policy):
    first, second = sampling(), sampling()
    plain = with_components(task, (((policy("a"), 1.0),), 1.0))
    elsewhere = policy("a").__class__(policy("b").path, policy("a").sha256)
    same = with_components(task, (((elsewhere, 1.0),), 1.0))
    made = sample(StageStore(tmp_path), plain, first)
    assert sample(StageStore(tmp_path), same, second) == made
    assert not second.draws


def _other_settings(task):
    return task, SETTINGS.model_copy(update={"top_p": 0.9})


def _other_shards(task):
    return task, SETTINGS.model_copy(update={"shard_size": 5})


def _other_seed(task):
    return SamplingTask(task.prompts, task.components, 4, 12), SETTINGS


def _other_policy(task):
    (mixture, weight), second = task.components
    ((a, _),) = mixture
    other = a.__class__(a.path, "c" * 64)
    return with_components(task, (((other, 1.0),), weight), second), SETTINGS


def _other_weights(task):
    (first, _), (second, _) = task.components
    return with_components(task, (first, 0.5), (second, 0.5)), SETTINGS


def _other_prompts(task):
    return SamplingTask(task.prompts[::-1], task.components, 4, 11), SETTINGS


def _other_ids(task):
    first, *rest = task.prompts
    changed = first.__class__(first.prompt, (9, 9))
    return SamplingTask((changed, *rest), task.components, 4, 11), SETTINGS


def _other_number(task):
    return SamplingTask(task.prompts, task.components, 5, 11), SETTINGS


def _other_demonstration(task):
    """The groups carry it: imitating it, SPIN would go on with the old one."""
    first, *rest = task.prompts
    changed = first.__class__(Prompt(first.prompt.messages, ("shown",)), first.ids)
    return SamplingTask((changed, *rest), task.components, 4, 11), SETTINGS


@pytest.mark.parametrize(
    "change",
    [
        _other_settings,
        _other_shards,
        _other_seed,
        _other_policy,
        _other_weights,
        _other_prompts,
        _other_ids,
        _other_number,
        _other_demonstration,
    ],
)
def test_what_the_samples_depend_on_makes_another_stage(tmp_path, sample, task, sampling, change):
    sample(StageStore(tmp_path), task, sampling())
    other, settings = change(task)
    again = sampling()
    found = sample(StageStore(tmp_path), other, again, settings)
    assert again.draws
    assert [group.prompt for group in found.groups] == [p.prompt for p in other.prompts]


def test_another_contract_makes_another_stage(tmp_path, sample, task, sampling, contract, words):
    from dataclasses import replace

    sample(StageStore(tmp_path), task, sampling())
    again = sampling()
    sample_groups(
        StageStore(tmp_path),
        task,
        backend=again,
        settings=SETTINGS,
        contract=replace(contract, template="d" * 64),
        tokenizer=words,
    )
    assert again.draws


def test_what_moves_no_token_finds_the_same_stage(tmp_path, sample, task, sampling):
    served = SETTINGS.model_copy(update={"server": ServerSettings()})
    sample(StageStore(tmp_path), task, sampling(), served)
    again = sampling()
    moved = served.model_copy(update={"server": ServerSettings(concurrency=3), "batch_size": 99})
    sample(StageStore(tmp_path), task, again, moved)
    assert not again.draws


@given(
    st.lists(st.floats(0.05, 5), min_size=1, max_size=4),
    st.integers(1, 30),
    st.integers(2, 9),
    st.integers(0, 2**63 - 1),
)
def test_allocations_give_every_prompt_all_its_responses(policy, weights, prompts, size, seed):
    components = [(((policy(str(i)), 1.0),), weight) for i, weight in enumerate(weights)]
    counts = allocate(prompts, size, components, seed)
    assert counts.shape == (len(weights), prompts)
    assert (counts >= 0).all()
    assert (counts.sum(axis=0) == size).all()
    assert (allocate(prompts, size, components, seed) == counts).all()
    renamed = [(((policy("other"), 1.0),), weight) for weight in weights]
    assert (allocate(prompts, size, renamed, seed) == counts).all()
    double = [(mixture, 2 * weight) for mixture, weight in components]
    assert (allocate(prompts, size, double, seed) == counts).all()


def test_allocations_have_the_mixtures_marginal_and_are_independent(policy):
    components = [(((policy(str(i)), 1.0),), w) for i, w in enumerate((0.5, 0.3, 0.2))]
    counts = allocate(20_000, 4, components, 3)
    np.testing.assert_allclose(counts.mean(axis=1) / 4, [0.5, 0.3, 0.2], atol=0.01)
    # Variance of a multinomial: the responses of a prompt draw their component independently.
    np.testing.assert_allclose(counts.var(axis=1) / 4, [0.25, 0.21, 0.16], rtol=0.04)
    ones = (counts == np.array([[2], [1], [1]])).all(axis=0).mean()
    exact = math.factorial(4) / math.factorial(2) * 0.5**2 * 0.3 * 0.2
    assert ones == pytest.approx(exact, abs=0.01)
    assert not (allocate(20_000, 4, components, 4) == counts).all()
