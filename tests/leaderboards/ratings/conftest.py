import csv

import pytest
from rated_games import read_matrix


@pytest.fixture(scope="session")
def arena(shared_data):
    """Chatbot Arena of March 2024: names, win rates, battles, published ratings."""
    folder = shared_data / "data" / "games" / "chatbot_arena_20240329_full"
    names, rates = read_matrix(folder / "win_fraction.csv")
    _, battles = read_matrix(folder / "battle_count.csv")
    with (folder / "bt_rating.csv").open(newline="") as lines:
        published = {row["model"]: float(row["elo_rating_final"]) for row in csv.DictReader(lines)}
    return names, rates, battles, published
