"""The declarative core: which anchors, which weights, against whom, how far."""

from typing import Any

import numpy as np
import pytest

from mnpo.algorithms import Distance, get_algorithm, list_algorithms
from mnpo.algorithms.sources import (
    CURRENT,
    DEMONSTRATIONS,
    INTERMEDIATE,
    MAGNET,
    OTHER_PLAYERS,
    REFERENCE,
    SOLUTION,
    External,
    History,
)

NAMES = [entry.name for entry in list_algorithms()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("iteration", [0, 1, 7])
def test_anchor_weights_sum_to_one(name: str, iteration: int) -> None:
    for update in get_algorithm(name, step_size=0.7, temperature=0.2).updates(iteration):
        assert sum(weight for _, weight in update.anchors) == pytest.approx(1, abs=1e-15)
        opponents = sum(coefficient for _, coefficient in update.opponents)
        expected = 0 if update.advantage == "reward" else 1
        if name == "onpo" and iteration == 0:
            expected = 2  # 2 g_0 - g_(-1) with no gradient before the first step
        assert opponents == pytest.approx(expected, abs=1e-15)
        assert isinstance(update.distance, Distance)


def one(name: str, iteration: int = 3, **parameters: Any) -> tuple[dict[Any, float], Any, float]:
    """Anchors, opponents and step of a method with a single update."""
    (update,) = get_algorithm(name, **parameters).updates(iteration)
    return dict(update.anchors), dict(update.opponents), update.step_size


def test_inpo_row() -> None:
    anchors, opponents, step = one("inpo", step_size=0.5, temperature=0.2)
    assert anchors == {CURRENT: 0.9, REFERENCE: 0.1}
    assert opponents == {CURRENT: 1.0}
    assert step == 0.5


def test_mnpo_rows() -> None:
    anchors, opponents, step = one("mnpo", num_players=4, step_size=0.5, temperature=0.2)
    assert anchors == pytest.approx(
        {History(0): 0.3, History(1): 0.3, History(2): 0.3, REFERENCE: 0.1}
    )
    assert opponents == {CURRENT: 1.0}
    assert step == 0.5
    anchors, opponents, step = one(
        "mnpo", history_weights=(2, 1), step_size=0.5, temperature=0.2, advantage="average"
    )
    assert anchors == pytest.approx({History(0): 0.6, History(1): 0.3, REFERENCE: 0.1})
    assert opponents == pytest.approx(anchors)
    _, _, literal = one("mnpo", step_size=0.02, temperature=1e-3, target_form="literal")
    assert literal == pytest.approx(50)


def test_released_hyper_parameters_in_the_common_convention() -> None:
    """The authors' eta = .0075 and ratio = 1/3: alpha = 133.3, tau = .0025."""
    value = get_algorithm("mnpo", eta=0.0075, target_form="literal", reference_weight=1 / 3)
    (update,) = value.updates(5)
    assert update.step_size == pytest.approx(133.33, abs=0.01)
    assert dict(update.anchors)[REFERENCE] == pytest.approx(1 / 3)
    assert dict(update.anchors)[REFERENCE] / update.step_size == pytest.approx(0.0025)


def test_rows_without_a_reference() -> None:
    for name in ("mwu", "sppo", "sppo-practical", "dno", "onpo"):
        (update,) = get_algorithm(name, step_size=0.5).updates(4)
        assert dict(update.anchors) == {CURRENT: 1.0}
        assert update.step_size == 0.5
    (onpo,) = get_algorithm("onpo").updates(4)
    assert dict(onpo.opponents) == {CURRENT: 2.0, History(1): -1.0}


def test_best_response_rows() -> None:
    for name, sampler in (("ipo", REFERENCE), ("ipo-online", CURRENT), ("dpo", REFERENCE)):
        anchors, opponents, step = one(name, temperature=0.4)
        assert anchors == {REFERENCE: 1.0}
        assert opponents == {sampler: 1.0}
        assert step == 2.5
    anchors, opponents, _ = one("dpo-iterative", temperature=0.4)
    assert anchors == opponents == {CURRENT: 1.0}
    anchors, opponents, _ = one("dpo-online", temperature=0.4)
    assert (anchors, opponents) == ({REFERENCE: 1.0}, {CURRENT: 1.0})


def test_extragradient_looks_ahead_from_the_same_place() -> None:
    first, second = get_algorithm("egpo", step_size=0.5, temperature=0.2).updates(0)
    assert first.anchors == second.anchors == ((CURRENT, 0.9), (REFERENCE, 0.1))
    assert first.opponents == ((CURRENT, 1.0),)
    assert second.opponents == ((INTERMEDIATE, 1.0),)


def test_players_and_magnets() -> None:
    eq10 = get_algorithm("mnpo-eq10", num_players=5, step_size=0.4)
    assert eq10.players == 5
    (update,) = eq10.updates(0)
    assert update.anchors == update.opponents == ((OTHER_PLAYERS, 1.0),)
    (literal,) = get_algorithm("mnpo-eq15", step_size=0.4).updates(0)
    assert literal.opponents == ((CURRENT, 1.0),)
    assert literal.step_size == 2.5
    assert get_algorithm("ht-mnpo").players is None
    assert get_algorithm("ht-mnpo", num_players=3).players == 3
    assert get_algorithm("mpo", inner=7).magnet_period == 7
    assert dict(get_algorithm("mpo").updates(0)[0].anchors).keys() == {CURRENT, MAGNET}
    exact = get_algorithm("comal", temperature=0.2)
    assert exact.magnet_period is None
    assert exact.updates(0)[0].opponents == ((SOLUTION, 1.0),)
    assert exact.updates(0)[0].step_size == 5.0
    assert get_algorithm("comal", inner=3).magnet_period == 3


def test_externals_and_demonstrations() -> None:
    anchors, opponents, _ = one(
        "eo-mnpo", external_weights=(3, 1), reference_weight=0.2, advantage="externals"
    )
    assert anchors == pytest.approx({External(0): 0.6, External(1): 0.2, REFERENCE: 0.2})
    assert opponents == pytest.approx({External(0): 0.75, External(1): 0.25})
    (spin,) = get_algorithm("spin", beta=2.0).updates(0)
    assert spin.winners is DEMONSTRATIONS
    assert spin.step_size == 0.5


def test_decaying_schedule() -> None:
    value = get_algorithm("inpo", temperature=0.25, schedule="decaying")
    assert [value.step(t) for t in (0, 1, 2, 8)] == pytest.approx([4, 8 / 3, 2, 0.8])
    # Clipped at 1/tau, where the reference has all the weight.
    assert dict(value.updates(0)[0].anchors)[CURRENT] == pytest.approx(0)
    batched = get_algorithm("inpo", temperature=np.array([0.25, 0.5]), schedule="decaying")
    assert np.asarray(batched.step(2)) == pytest.approx(np.array([2, 1]))
    assert "schedule" in value.parameters()
    assert "schedule" not in get_algorithm("dpo").parameters()
