"""The table of losses: complete, true to the functions, and what the documentation lists."""

import inspect
import re
from pathlib import Path

import pytest
import torch

from mnpo import losses
from mnpo.errors import InvalidSetting
from mnpo.losses import get_loss, list_losses

INPUTS = {
    ("margin",),
    ("log_ratio",),
    ("chosen_log_ratio", "rejected_log_ratio"),
    ("chosen_log_probs", "rejected_log_probs"),
}
SETTINGS = {
    "alpha",
    "chosen_lengths",
    "desirable",
    "desirable_weight",
    "divergence",
    "length_penalty",
    "likelihood_weight",
    "log_partition",
    "odds_weight",
    "preference",
    "rejected_lengths",
    "reward_gap",
    "scale",
    "step_size",
    "target",
    "target_log_probs",
    "target_margin",
    "temperature",
    "uncertainty_gap",
    "undesirable_weight",
    "win_rate",
    "win_rate_gap",
    "z_ref",
}
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "losses.md"


@pytest.mark.parametrize("row", list_losses(), ids=lambda row: row.name)
def test_a_row_is_complete_and_in_the_common_vocabulary(row: losses.Loss) -> None:
    assert get_loss(row.name) is row
    assert row.inputs in INPUTS
    assert set(row.settings) <= SETTINGS
    assert row.formula
    assert row.title
    assert row.equation
    assert row.translation
    assert re.fullmatch(r"\d{4}\.\d{5}", row.arxiv)
    assert row.pairwise == (row.name not in ("sppo", "kto"))
    assert (
        (row.function.__doc__ or "").count(row.arxiv)
        or row.arxiv == "2509.23102"
        or (row.name in ("dno-prct",))
    )


def test_every_public_loss_is_listed() -> None:
    public = {
        function
        for name, function in vars(losses).items()
        if name.endswith("_loss") and inspect.isfunction(function) and name != "get_loss"
    }
    assert public == {row.function for row in list_losses()}


def test_all_of_the_papers_table_9_is_there() -> None:
    """The methods of MNPO's Table 9, in its order."""
    table_9 = (
        "dpo f-dpo r-dpo distill-dpo gshf kto ipo slic-hf rrhf simpo cpo orpo dno dno-prct spin "
        "sppo inpo onpo mio"
    )
    assert set(table_9.split()) <= set(losses.LOSSES)


def test_needs_are_read_off_the_signature() -> None:
    assert get_loss("dpo").needs == ("anchor log-probs",)
    assert get_loss("simpo").needs == ("lengths",)
    assert get_loss("cpo").needs == ()
    assert get_loss("dno").needs == ("anchor log-probs", "win rates")
    assert get_loss("distill-dpo").needs == ("anchor log-probs", "rewards")
    assert get_loss("ipo").needs == ("anchor log-probs",)
    assert get_loss("kto").needs == ("anchor log-probs", "unpaired labels", "reference point")
    assert get_loss("simpo").settings["preference"] == 1.0
    assert get_loss("simpo").settings["scale"] is inspect.Parameter.empty


def test_a_row_can_be_called_by_name() -> None:
    row = get_loss("dpo")
    value = row.function(torch.zeros(2), scale=0.1)
    torch.testing.assert_close(value, torch.full((2,), 2.0).log())


def test_unknown_names_are_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidSetting, match=r"^no loss 'simp0'; did you mean 'simpo'\?$"):
        get_loss("simp0")


def test_badges_are_those_of_the_algorithms() -> None:
    from mnpo.algorithms.base import Badge

    assert {row.badge for row in list_losses()} <= {str(badge) for badge in Badge}


def test_the_documentation_has_a_row_for_every_loss() -> None:
    text = DOCUMENT.read_text()
    for row in list_losses():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{row.name}` |")]
        assert f"`{row.function.__name__}`" in line, row.name
        assert row.arxiv in line, row.name
