import pytest

from mnpo.training.engine.schedule import rate_factor


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
@pytest.mark.parametrize(("steps", "warmup"), [(1, 1), (1, 0), (10, 1), (10, 3), (7, 7)])
def test_rises_to_the_peak_then_falls_and_no_step_is_wasted(schedule, steps, warmup) -> None:
    rates = [rate_factor(t, steps, schedule=schedule, warmup_steps=warmup) for t in range(steps)]
    assert min(rates) > 0
    assert max(rates) == 1
    assert rates[:warmup] == sorted(rates[:warmup])
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)


def test_known_values() -> None:
    cosine = [rate_factor(t, 6, schedule="cosine", warmup_steps=2) for t in range(7)]
    assert cosine == pytest.approx([0.5, 1, 1, 0.8535533906, 0.5, 0.1464466094, 0])
    linear = [rate_factor(t, 6, schedule="linear", warmup_steps=2) for t in range(7)]
    assert linear == pytest.approx([0.5, 1, 1, 0.75, 0.5, 0.25, 0])
