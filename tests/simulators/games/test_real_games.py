"""The real matrices of the reference data against what their collector computed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnpo.errors import InvalidGame
from simulators.games import Game, cyclic_triples, make_game, strongest_cycles

pytestmark = pytest.mark.shared_data

FILES: dict[str, tuple[str, dict[str, object]]] = {
    "chatbot_arena_20240329_full": (
        "chatbot_arena_20240329_full/win_fraction.csv",
        {"fill_missing": "half", "counts": "battle_count.csv"},
    ),
    "sppo_pairrm_figure3": ("sppo_pairrm_figure3.csv", {}),
    "pandalm": ("pandalm/win_fraction.csv", {}),
    "soccer_10x10": ("soccer_10x10.csv", {}),
    "roshambo_43x43": ("roshambo_43x43.csv", {"scale": 1000, "antisymmetrize": True}),
    "blotto_5_3": ("blotto_5_3.csv.gz", {}),
    "blotto_5_4": ("blotto_5_4.csv.gz", {}),
    "kuhn_poker_64": ("kuhn_poker_64.csv.gz", {}),
    "comal_synthetic_3x3": ("comal_synthetic_3x3.json", {}),
}


def load(shared: Path, file: str, **options: object) -> Game:
    return make_game(f"file:{shared / 'data' / 'games' / file}", **options)


@pytest.fixture(scope="module")
def invariants(shared_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (shared_data / "data" / "games" / "invariants.json").read_text()
    )
    return loaded


def test_every_matrix_with_invariants_is_read(invariants: dict[str, Any]) -> None:
    assert set(invariants) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_cyclic_triples(name: str, shared_data: Path, invariants: dict[str, Any]) -> None:
    file, options = FILES[name]
    game = load(shared_data, file, **options)
    P = game.preferences
    assert (P + P.T == 1).all()
    assert game.size == invariants[name].get("n", 3)
    if "cyclic_triples" in invariants[name]:
        assert cyclic_triples(P) == invariants[name]["cyclic_triples"]


def test_chatbot_arena_has_missing_pairs(shared_data: Path, invariants: dict[str, Any]) -> None:
    file, _ = FILES["chatbot_arena_20240329_full"]
    known = invariants["chatbot_arena_20240329_full"]
    with pytest.raises(InvalidGame) as caught:
        load(shared_data, file)
    assert f"{known['cells_missing'] // 2} of 300 pairs have no preference" in str(caught.value)
    assert "'claude-3-opus-20240229' against 'claude-2.0'" in str(caught.value)


def test_chatbot_arena_with_many_battles(shared_data: Path, invariants: dict[str, Any]) -> None:
    file, options = FILES["chatbot_arena_20240329_full"]
    known = invariants["chatbot_arena_20240329_full"]
    game = load(shared_data, file, min_count=100, **options)
    assert cyclic_triples(game.preferences) == known["cyclic_triples_with_100_battles_each"]
    found = strongest_cycles(game.preferences)
    for (margin, triple), (published, *names) in zip(found[:2], known["strongest"], strict=False):
        assert round(margin, 3) == published
        assert {game.actions[i] for i in triple} == set(names)
    # The third is one of several of equal margin.
    published, *names = known["strongest"][2]
    assert any(
        round(margin, 3) == published and {game.actions[i] for i in triple} == set(names)
        for margin, triple in found
    )


def test_the_dense_block_of_chatbot_arena(shared_data: Path, invariants: dict[str, Any]) -> None:
    file, _ = FILES["chatbot_arena_20240329_full"]
    known = invariants["chatbot_arena_20240329_full"]
    # The collector's block has at least 51 battles a pair; pairs with fewer than 50 left out, ours
    # is the same.
    game = load(shared_data, file, counts="battle_count.csv", min_count=50, drop_missing=True)
    assert list(game.actions) == known["dense_block_models"]
    assert game.counts is not None
    assert game.counts[~np.eye(game.size, dtype=bool)].min() >= 50
    # Any battle at all: one model more.
    assert load(shared_data, file, drop_missing=True).size == 17


def test_bradley_terry_fills_chatbot_arena(shared_data: Path) -> None:
    file, _ = FILES["chatbot_arena_20240329_full"]
    given = load(shared_data, file, fill_missing="half").preferences
    game = load(
        shared_data, file, fill_missing="bradley-terry", counts="battle_count.csv", min_count=1
    )
    assert game.counts is not None
    seen = game.counts > 0
    assert np.array_equal(game.preferences[seen], given[seen])
    assert (~seen).sum() - game.size == 124
    # The published ratings count ties as half wins, so they are closer together; but the log-odds
    # they give to the missing pairs are nearly proportional to ours.
    table = (shared_data / "data" / "games" / Path(file).parent / "bt_rating.csv").read_text()
    elo = dict(line.split(",") for line in table.splitlines()[1:])
    rating = np.array([float(elo[action]) for action in game.actions])
    filled = ~seen & ~np.eye(game.size, dtype=bool)
    ours = np.log(game.preferences / (1 - game.preferences))[filled]
    assert np.corrcoef(ours, (rating[:, None] - rating[None, :])[filled])[0, 1] > 0.98


def test_roshambo_is_noisy_and_says_so(shared_data: Path) -> None:
    with pytest.raises(InvalidGame, match=r"payoffs reach 1000; .* scale=1000"):
        load(shared_data, "roshambo_43x43.csv")
    with pytest.raises(InvalidGame, match=r"sum is 35\.202, must be 0 .*antisymmetrize=true"):
        load(shared_data, "roshambo_43x43.csv", scale=1000)


def test_pandalm_counts_are_its_win_fractions(shared_data: Path) -> None:
    fractions = load(shared_data, "pandalm/win_fraction.csv")
    counts = load(shared_data, "pandalm/pairwise_counts.csv", mode="votes")
    assert counts.actions == fractions.actions
    np.testing.assert_allclose(counts.preferences, fractions.preferences, rtol=0, atol=1e-10)
    assert counts.counts is not None
    assert counts.counts[0, 1] == 300
    with pytest.raises(InvalidGame, match=r"choose one with mode=majority \(or votes\)"):
        load(shared_data, "pandalm/pairwise_counts.csv")


@pytest.mark.parametrize("fields", [3, 4])
def test_blotto_is_the_built_in_family(shared_data: Path, fields: int) -> None:
    file = load(shared_data, f"blotto_5_{fields}.csv.gz")
    built = make_game("blotto", soldiers=5, fields=fields)
    assert np.array_equal(file.preferences, built.preferences)


def test_comal_is_the_built_in_family(shared_data: Path) -> None:
    file = load(shared_data, "comal_synthetic_3x3.json")
    assert file.actions == ("y_a", "y_b", "y_c")
    built = make_game("biased-rps")
    np.testing.assert_allclose(file.preferences, built.preferences, rtol=0, atol=1e-15)


def test_pokemon_types(shared_data: Path) -> None:
    game = load(shared_data, "pokemon_types.json")
    P, place = game.preferences, {name: i for i, name in enumerate(game.actions)}
    assert game.size == 18
    assert P[place["Water"], place["Fire"]] == 0.5 + (2 - 0.5) / 4
    assert P[place["Normal"], place["Ghost"]] == 0.5 + (0 - 0) / 4
    assert P[place["Ground"], place["Electric"]] == 0.5 + (2 - 0) / 4
    assert P[place["Ground"], place["Flying"]] == 0.5 + (0 - 1) / 4
    assert cyclic_triples(P) > 0


def test_egpo_games_are_contexts(shared_data: Path) -> None:
    (path,) = (shared_data / "data" / "games").glob("egpo_reference_run_*.json.gz")
    game = make_game(f"file:{path}")
    assert game.preferences.shape == (10, 10, 10)
    one = make_game(f"file:{path}", context=4)
    assert np.array_equal(one.preferences, game.preferences[4])


def test_what_is_no_game_is_refused(shared_data: Path) -> None:
    for file, words in {
        "chatbot_arena_20240329_full/battle_count.csv": "numbers of comparisons, not who won",
        "chatbot_arena_20240329_full/bt_rating.csv": "is among the rows but not among the columns",
        "invariants.json": "rows and columns must list the same actions",
        "README.md": "unknown kind of file",
    }.items():
        with pytest.raises(InvalidGame, match=words):
            load(shared_data, file)
