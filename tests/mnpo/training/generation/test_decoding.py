import numpy as np
import pytest
import torch

from mnpo.errors import UserError
from mnpo.training.generation.decoding import mixture_log_probs, pick, truncate


def test_a_mixture_is_the_normalised_weighted_geometric_mean():
    first, second = torch.randn(2, 5, 7, generator=torch.manual_seed(0), dtype=torch.float64)
    p, q = (np.exp(x) / np.exp(x).sum(-1, keepdims=True) for x in (first.numpy(), second.numpy()))
    mean = p**0.3 * q**0.7
    mixed = mixture_log_probs([first, second], [0.3, 0.7])
    np.testing.assert_allclose(mixed.exp(), mean / mean.sum(-1, keepdims=True), rtol=1e-12)


def test_a_token_that_one_policy_excludes_is_excluded_from_the_mixture():
    first = torch.tensor([[0.0, -torch.inf, 1.0]])
    mixed = mixture_log_probs([first, torch.zeros(1, 3)], [0.1, 0.9])
    assert mixed[0, 1] == -torch.inf
    assert mixed.exp().sum() == pytest.approx(1)


def test_half_precision_is_mixed_in_single():
    assert mixture_log_probs([torch.zeros(1, 3).bfloat16()], [1.0]).dtype == torch.float32


def test_truncation_follows_its_definition_in_order():
    probabilities = torch.tensor([[0.1, 0.4, 0.05, 0.3, 0.15]], dtype=torch.float64)
    kept = truncate(probabilities.log(), temperature=1, top_k=4, top_p=0.7).softmax(-1)
    # top_k drops 0.05; of the rest .4/.95 + .3/.95 = .737 is the first mass of at least 0.7
    np.testing.assert_allclose(kept[0], [0, 4 / 7, 0, 3 / 7, 0], rtol=1e-12)


def test_truncation_agrees_with_the_warpers_of_transformers():
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    scores = torch.randn(50, 40, generator=torch.manual_seed(1)).log_softmax(-1)
    theirs = scores
    for warper in (TemperatureLogitsWarper(0.7), TopKLogitsWarper(17), TopPLogitsWarper(0.8)):
        theirs = warper(None, theirs)
    ours = truncate(scores, temperature=0.7, top_k=17, top_p=0.8)
    torch.testing.assert_close(ours.softmax(-1), theirs.softmax(-1))


def test_defaults_change_nothing():
    scores = torch.randn(3, 9)
    assert torch.equal(truncate(scores, temperature=1, top_k=0, top_p=1), scores)


def test_the_first_token_survives_any_top_p():
    kept = truncate(torch.tensor([[0.0, 5.0]]), temperature=1, top_k=0, top_p=1e-9)
    assert kept[0].tolist() == [-torch.inf, 5.0]


def test_pick_inverts_the_distribution_function():
    scores = torch.tensor([[0.2, 0.0, 0.5, 0.3]], dtype=torch.float64).log().expand(6, 4)
    edges = torch.tensor([0.0, 0.1999, 0.2001, 0.6999, 0.7001, 1 - 2**-53], dtype=torch.float64)
    assert pick(scores, edges).tolist() == [0, 0, 2, 2, 3, 3]


def test_pick_never_takes_an_excluded_token_even_at_the_edges():
    scores = torch.tensor([[-torch.inf, 0.0, -torch.inf], [-torch.inf, 0.0, -torch.inf]])
    assert pick(scores, torch.tensor([0.0, 1.0], dtype=torch.float64)).tolist() == [1, 1]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_pick_refuses_what_is_no_distribution(bad):
    with pytest.raises(UserError, match="no finite next-token probabilities"):
        pick(torch.tensor([[0.0, bad]]), torch.tensor([0.5]))
