"""Draws against the exact distribution of sequences, found by running every prefix by itself."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.generation.transformers_backend import TransformersBackend, TransformersSampler
from mnpo.training.models.policy import PolicyCheckpoint

PROMPT = (3, 5, 4)
DRAWS = 20_000


def sequence_probabilities(models, weights, contract, settings, prompt=PROMPT):
    """{ids: probability} by enumeration: no cache, no batch, no code of the backend."""
    found = {}

    def extend(prefix, probability):
        if prefix and (prefix[-1] in contract.end_ids or len(prefix) == settings.max_new_tokens):
            found[prefix] = probability
            return
        row = torch.tensor([prompt + prefix])
        with torch.no_grad():
            logits = [model(row).logits[0, -1].numpy() for model in models]
        powers = [(np.exp(x) / np.exp(x).sum()) ** w for x, w in zip(logits, weights, strict=True)]
        step = np.prod(powers, axis=0) ** (1 / settings.temperature)
        for token, share in enumerate(step / step.sum()):
            extend((*prefix, token), probability * share)

    extend((), 1.0)
    return found


@pytest.mark.parametrize(
    ("weights", "temperature"),
    [((1.0,), 1.0), ((1.0,), 0.6), ((0.7, 0.3), 1.0)],
    ids=["plain", "temperature", "mixture"],
)
def test_draws_follow_the_exact_distribution(
    random_policy, contract, settings, weights, temperature
):
    models = [random_policy(seed) for seed in range(len(weights))]
    chosen = settings(temperature=temperature)
    exact = sequence_probabilities(models, weights, contract, chosen)
    assert sum(exact.values()) == pytest.approx(1, abs=1e-12)

    sampler = TransformersSampler(models, weights, chosen, contract)
    [draws] = sampler.draw([PROMPT], [DRAWS], seed=7)
    counts = Counter(draw.ids for draw in draws)
    assert set(counts) <= set(exact)
    common = [ids for ids, p in exact.items() if p * DRAWS >= 5]
    observed = [counts[ids] for ids in common]
    expected = [exact[ids] * DRAWS for ids in common]
    rest = (DRAWS - sum(observed), DRAWS - sum(expected))
    test = stats.chisquare([*observed, rest[0]], [*expected, rest[1]])
    assert len(common) > 30  # the test has something to say
    assert test.pvalue > 0.001


def test_the_chi_square_notices_a_mixture_that_is_not_the_right_one(
    random_policy, contract, settings
):
    models = [random_policy(0), random_policy(1)]
    exact = sequence_probabilities(models, (0.7, 0.3), contract, settings())
    [draws] = TransformersSampler(models, (0.6, 0.4), settings(), contract).draw(
        [PROMPT], [DRAWS], seed=7
    )
    counts = Counter(draw.ids for draw in draws)
    common = [ids for ids, p in exact.items() if p * DRAWS >= 5]
    expected = np.array([exact[ids] for ids in common])
    observed = np.array([counts[ids] for ids in common], dtype=float)
    test = stats.chisquare(observed, expected / expected.sum() * observed.sum())
    assert test.pvalue < 1e-6


def test_a_single_token_mixture_is_the_mixture_of_sequences(random_policy, contract, settings):
    models = [random_policy(0), random_policy(1)]
    one = settings(max_new_tokens=1)
    alone = [sequence_probabilities([model], (1.0,), contract, one) for model in models]
    together = sequence_probabilities(models, (0.7, 0.3), contract, one)
    powers = {ids: alone[0][ids] ** 0.7 * alone[1][ids] ** 0.3 for ids in together}
    total = sum(powers.values())
    assert together == pytest.approx({ids: p / total for ids, p in powers.items()}, abs=1e-12)


def prompts_of_many_lengths():
    rng = np.random.default_rng(0)
    prompts = [tuple(rng.integers(3, 8, size=length).tolist()) for length in (9, 2, 5, 5, 1, 7)]
    return prompts, [2, 5, 0, 3, 1, 4]


@pytest.mark.parametrize("weights", [(1.0,), (0.5, 0.5)])
def test_batch_composition_does_not_matter(random_policy, contract, settings, weights):
    models = [random_policy(seed) for seed in range(len(weights))]
    prompts, counts = prompts_of_many_lengths()
    answers = [
        TransformersSampler(
            models, weights, settings(max_new_tokens=12, batch_size=size), contract
        ).draw(prompts, counts, seed=3)
        for size in (1, 2, 4, 16)
    ]
    assert [len(row) for row in answers[0]] == counts
    assert answers[0] == answers[1] == answers[2] == answers[3]
    flat = list(itertools.chain.from_iterable(answers[0]))
    assert {completion.finished for completion in flat} == {True, False}
    assert len({completion.ids for completion in flat}) > 5


def test_every_end_id_stops_and_is_kept_and_padding_never(random_policy, contract, settings):
    sampler = TransformersSampler([random_policy(0)], (1.0,), settings(max_new_tokens=9), contract)
    ended = set()
    for completion in sampler.draw([PROMPT], [300], seed=0)[0]:
        assert not set(completion.ids[:-1]) & set(contract.end_ids)
        assert completion.finished == (completion.ids[-1] in contract.end_ids)
        assert completion.finished or len(completion.ids) == 9
        ended.add(completion.ids[-1] if completion.finished else None)
    assert ended == {1, 2, None}


def test_seeds_rule_and_global_generators_are_left_alone(random_policy, contract, settings):
    sampler = TransformersSampler([random_policy(0)], (1.0,), settings(), contract)
    prompts, counts = prompts_of_many_lengths()
    torch.manual_seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = sampler.draw(prompts, counts, seed=5)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    torch.manual_seed(2)
    assert sampler.draw(prompts, counts, seed=5) == first
    assert sampler.draw(prompts, counts, seed=6) != first


def test_equal_prompts_in_one_call_are_answered_independently(random_policy, contract, settings):
    sampler = TransformersSampler([random_policy(0)], (1.0,), settings(), contract)
    first, second = sampler.draw([PROMPT, PROMPT], [8, 8], seed=0)
    assert first != second


def test_nothing_asked_is_nothing_answered(random_policy, contract, settings):
    sampler = TransformersSampler([random_policy(0)], (1.0,), settings(), contract)
    assert sampler.draw([PROMPT], [0], seed=0) == [[]]
    assert sampler.draw([], [], seed=0) == []


def test_the_greedy_limit_equals_generate(random_policy, contract, settings):
    model = random_policy(3)
    cold = settings(temperature=1e-6, max_new_tokens=10)
    [[ours]] = TransformersSampler([model], (1.0,), cold, contract).draw([PROMPT], [1], seed=0)
    theirs = model.generate(
        torch.tensor([PROMPT]),
        do_sample=False,
        max_new_tokens=10,
        eos_token_id=[1, 2],
        pad_token_id=0,
    )
    assert list(ours.ids) == theirs[0, len(PROMPT) :].tolist()


def test_top_k_one_is_greedy_too(random_policy, contract, settings):
    draw = [
        TransformersSampler([random_policy(3)], (1.0,), settings(**how), contract).draw(
            [PROMPT], [4], seed=1
        )
        for how in ({"top_k": 1}, {"temperature": 1e-6}, {"top_p": 1e-6})
    ]
    assert draw[0] == draw[1] == draw[2]


def test_dropout_is_off(random_policy, contract, settings):
    model = random_policy(0)
    model.train()
    TransformersSampler([model], (1.0,), settings(), contract)
    assert not model.training


def test_policies_of_other_vocabularies_do_not_mix(random_policy, contract, settings):
    with pytest.raises(InvalidSetting, match=r"one vocabulary, got sizes \[8, 9\]"):
        TransformersSampler(
            [random_policy(0), random_policy(0, 9)], (0.5, 0.5), settings(), contract
        )


def test_too_long_prompts_are_refused(random_policy, contract, settings):
    sampler = TransformersSampler([random_policy(0)], (1.0,), settings(), contract)
    with pytest.raises(UserError, match="exceed the policy's 64 positions"):
        sampler.draw([(3,) * 62], [1], seed=0)
    with pytest.raises(UserError, match="without tokens"):
        sampler.draw([()], [1], seed=0)


def test_a_diverged_policy_is_reported(random_policy, contract, settings):
    model = random_policy(0)
    with torch.no_grad():
        model.lm_head.weight.fill_(torch.nan)
    with pytest.raises(UserError, match="training diverged"):
        TransformersSampler([model], (1.0,), settings(), contract).draw([PROMPT], [1], seed=0)


def test_the_backend_loads_what_has_weight_and_merges_what_is_equal(
    random_policy, contract, settings
):
    loaded = []

    def load(checkpoint):
        loaded.append(checkpoint.sha256)
        return random_policy(int(checkpoint.sha256))

    backend = TransformersBackend(settings(), contract, load)
    first, second = (PolicyCheckpoint(Path(name), name) for name in "01")
    with backend.open(((first, 0.5), (second, 0.0), (first, 0.5))) as sampler:
        merged = sampler.draw([PROMPT], [5], seed=0)
    assert loaded == ["0"]
    with backend.open(((first, 1.0),)) as sampler:
        assert sampler.draw([PROMPT], [5], seed=0) == merged
