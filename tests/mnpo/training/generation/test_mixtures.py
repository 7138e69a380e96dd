from pathlib import Path

import pytest

from mnpo.errors import InvalidSetting
from mnpo.training.generation.mixtures import merged, only_policy
from mnpo.training.models.policy import PolicyCheckpoint

A, B = (PolicyCheckpoint(Path(name), name) for name in "ab")
SAME_AS_A = PolicyCheckpoint(Path("elsewhere"), "a")


def test_equal_policies_become_one_and_weightless_ones_go():
    assert merged(((A, 0.9), (SAME_AS_A, 0.1), (B, 0.0))) == ((A, 1.0),)
    assert merged(((A, 0.25), (B, 0.5), (SAME_AS_A, 0.25))) == ((A, 0.5), (B, 0.5))


@pytest.mark.parametrize("weights", [(0.5, 0.4), (1.5, -0.5), (float("nan"), 1.0)])
def test_weights_that_are_no_mixture_are_refused(weights):
    with pytest.raises(InvalidSetting, match="sum to one"):
        merged(tuple(zip((A, B), weights, strict=True)))


def test_an_empty_mixture_is_refused():
    with pytest.raises(InvalidSetting, match="sum to one"):
        merged(())


def test_a_backend_of_one_policy_refuses_a_true_mixture_in_one_line():
    assert only_policy(((A, 0.5), (SAME_AS_A, 0.5)), "vllm") == A
    with pytest.raises(InvalidSetting) as refusal:
        only_policy(((A, 0.5), (B, 0.5)), "vllm")
    assert "sampling.backend vllm" in str(refusal.value)
    assert "\n" not in str(refusal.value)
