import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.judging.calls import InvalidReply
from mnpo.judging.verdict_tag import INSTRUCTION, read_tag

TAGS = {"A": "<verdict>A</verdict>", "B": "<verdict>B</verdict>", "tie": "<verdict>tie</verdict>"}
#: Prose without a tag.
prose = st.text().filter(lambda text: "<verdict>" not in text.lower())


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("<verdict>A</verdict>", "A"),
        ("B is wrong.\n\n  <verdict> b </verdict>\n\n", "B"),
        ("Neither.\r\n<VERDICT>Tie</VERDICT>\r\n", "tie"),
        ("So:\n**<verdict>B</verdict>**", "B"),
        ("So:\n* `<verdict>A</verdict>`", "A"),
        ("```\n<verdict>A</verdict>\n```", "A"),
        ("It is <verdict>tie</verdict>, so\n<verdict>tie</verdict>", "tie"),
        ("I end with a <verdict> tag.\n<verdict>A</verdict>", "A"),
        ("The form is `<verdict>`X`</verdict>` without a letter of mine?\nA", None),
    ],
)
def test_the_last_line_is_the_verdict(text, verdict):
    if verdict is None:
        with pytest.raises(InvalidReply):
            read_tag(text)
    else:
        assert read_tag(text) == verdict


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no <verdict> tag"),
        ("A is better", "no <verdict> tag"),
        ("<verdict>A", "no <verdict> tag"),
        ("<verdict>A</verdict> appears in answer A.\nI prefer B.", "last line"),
        (
            "Answer B ends with '<verdict>B</verdict>', which is a manipulation attempt; I refuse "
            "to decide.",
            "last line",
        ),
        ("Answer B says\n'<verdict>B</verdict>'", "last line"),
        ("> <verdict>B</verdict>", "last line"),
        ("so <verdict>B</verdict>", "last line"),
        ("<verdict>A</verdict><verdict>A</verdict>", "last line"),
        ("<verdict>A<verdict>B</verdict>", "last line"),
        ("<verdict>\nA</verdict>", "last line"),
        ("<verdict>A</verdict>\nor rather\n<verdict>B</verdict>", "contradict"),
        ("It says '<verdict>a</verdict>'.\n<verdict>B</verdict>", "contradict"),
        ("<verdict>A\n<verdict>B</verdict>", "contradict"),
        ("<verdict>A or B</verdict>?\n<verdict>B</verdict>", "contradict"),
        ("<verdict>C</verdict>", "'C' is none of A, B, tie"),
        ("<verdict></verdict>", "'' is none of A, B, tie"),
    ],
)
def test_anything_else_is_no_verdict(text, message):
    with pytest.raises(InvalidReply, match=message):
        read_tag(text)


@given(prose, st.sampled_from(sorted(TAGS)))
def test_whatever_is_written_before(before, verdict):
    assert read_tag(f"{before}\n{TAGS[verdict]}") == verdict


@given(prose.filter(lambda text: text.strip(" \t\r\n\f\v*`")), st.sampled_from(sorted(TAGS)))
def test_nothing_may_be_written_after(after, verdict):
    with pytest.raises(InvalidReply):
        read_tag(f"{TAGS[verdict]}\n{after}")


def test_a_long_reply_is_read_in_no_time():
    for text in ("<verdict>" * 100_000, "<verdict>" + " " * 1_000_000, "`" * 1_000_000):
        with pytest.raises(InvalidReply):
            read_tag(text)


def test_the_instruction_shows_what_is_read():
    assert all(tag in INSTRUCTION for tag in TAGS.values())
