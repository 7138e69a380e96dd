"""Names on the command line: judges' names hold commas."""

import pytest

from mnpo.cli.leaderboard import _names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ()),
        ("", ()),
        ("a, b,,c", ("a", "b", "c")),
        (
            "cross-play/win_rate@mixture(brevity-6, brevity-4), mini",
            ("cross-play/win_rate@mixture(brevity-6, brevity-4)", "mini"),
        ),
        ("noisy(sum(a, b), 0.1),x", ("noisy(sum(a, b), 0.1)", "x")),
        ("a),b", ("a)", "b")),
    ],
)
def test_commas_within_brackets_belong_to_the_name(text, expected) -> None:
    assert _names(text) == expected
