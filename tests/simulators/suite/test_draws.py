"""Games of a family from a seed."""

from typing import Any

import numpy as np
import pytest

from mnpo.errors import InvalidSetting
from simulators.suite.draws import draw_game
from simulators.suite.settings import Family, SuiteSettings


def draw(parameters: dict[str, Any], seed: int = 0, game: str = "cyclic"):
    return draw_game("f", Family(game=game, parameters=parameters), seed, 0.2)


def test_the_stream_of_a_game_is_pinned() -> None:
    """From sha256 and PCG64 alone: a change here makes all published figures others."""
    import hashlib

    word = int.from_bytes(hashlib.sha256(b"f/5").digest()[:8], "big")
    raw = np.random.PCG64(word).random_raw(4) >> np.uint64(11)
    u = raw.astype(float) * 2.0**-53
    found = draw({"strength": {"uniform": [0.4, 1.0]}}, seed=5)
    assert found.game.parameters["strength"] == 0.4 + 0.6 * u[0]
    weights = -np.log(1 - u[1:])
    expected = 0.8 * weights / weights.sum() + 0.2 / 3
    np.testing.assert_allclose(found.reference, expected[None], rtol=1e-14)


@pytest.mark.parametrize("name", ["cyclic", "clone", "contextual", "plackett-luce", "blotto"])
def test_games_of_a_family_share_their_shape_and_differ(standard: SuiteSettings, name: str) -> None:
    family = standard.families[name]
    games = [draw_game(name, family, seed, 0.2) for seed in range(12)]
    assert len({game.game.preferences.shape for game in games}) == 1
    assert len({game.reference.tobytes() for game in games}) == 12
    again = draw_game(name, family, 3, 0.2)
    np.testing.assert_array_equal(again.game.preferences, games[3].game.preferences)
    np.testing.assert_array_equal(again.reference, games[3].reference)


def test_references_are_policies_with_full_support(standard: SuiteSettings) -> None:
    for name, family in standard.families.items():
        drawn = draw_game(name, family, 1, 0.2)
        assert drawn.reference.shape == (drawn.game.contexts, drawn.game.size)
        np.testing.assert_allclose(drawn.reference.sum(axis=1), 1, rtol=1e-12)
        assert drawn.reference.min() >= 0.2 / drawn.game.size


def test_families_draw_independently() -> None:
    family = Family(game="cyclic")
    one, other = (draw_game(name, family, 0, 0.2).reference for name in ("a", "b"))
    assert not np.allclose(one, other)


def test_every_kind_of_draw() -> None:
    drawn = draw({"utilities": {"uniform": [1.0, 2.0], "count": 4}}, game="bradley-terry")
    utilities = drawn.game.parameters["utilities"]
    assert len(utilities) == 4
    assert all(1 <= value < 2 for value in utilities)
    matrix = {"uniform": [0, 1], "count": 3, "rows": 2}
    shares = {"simplex": 2, "floor": 0.5}
    drawn = draw({"utilities": matrix, "weights": shares}, game="plackett-luce")
    assert np.shape(drawn.game.parameters["utilities"]) == (2, 3)
    assert min(drawn.game.annotator_weights) >= 0.25
    base = {"text": "cyclic:strength={s}", "s": {"uniform": [0.5, 0.6]}}
    drawn = draw({"base": base, "action": {"choice": [0, 1]}}, game="clone")
    assert str(drawn.game.parameters["base"]).startswith("cyclic:strength=0.5")
    seeds = {
        draw({"seed": {"integer": 5}}, seed, "random-skew").game.parameters["seed"]
        for seed in range(60)
    }
    assert seeds == set(range(5))


@pytest.mark.parametrize(
    "value",
    [{"uniform": [1]}, {"uniform": "ab"}, {"choice": []}, {"normal": [0, 1]}, {}, {"simplex": "x"}],
)
def test_a_draw_nobody_knows_is_refused(value: Any) -> None:
    with pytest.raises(InvalidSetting, match=r"family f: strength: cannot draw .*; give uniform"):
        draw({"strength": value})


def test_parameters_the_game_refuses_are_refused() -> None:
    with pytest.raises(InvalidSetting, match="has no parameter 'strenght'"):
        draw({"strenght": 0.5})
