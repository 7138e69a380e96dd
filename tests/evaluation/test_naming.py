from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.naming import folder_name


@given(st.text())
def test_a_name_stays_in_its_folder(name) -> None:
    own = folder_name(name)
    assert Path(own).name == own
    assert not own.startswith((".", "-"))
    assert "\x00" not in own
    assert len(own) < 100


@given(st.text(), st.text())
def test_different_names_get_different_folders(first, second) -> None:
    assert (folder_name(first) == folder_name(second)) == (first == second)


@pytest.mark.parametrize(
    "name",
    ["../etc/x", "a/b", "a\\b", "/abs", ".", "..", ".hid", "-rf", "", "a\0b", "é\n", "x" * 300],
)
def test_what_stands_in_a_changed_name(name) -> None:
    found = folder_name(name)
    assert not set(found) & set("/\\\n\0")
    assert found not in ("", ".", "..", name)
    assert folder_name(name + "!") != found


def test_plain_names_stay_readable() -> None:
    assert folder_name("gpt-4.1_mini") == "gpt-4.1_mini"
    assert folder_name("inpo-seed-0") == "inpo-seed-0"
    assert folder_name("../../etc/passwd").startswith("etc-passwd-")
    assert folder_name("..").startswith("unnamed-")
