import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.arena_hard.template import Template
from mnpo.errors import UserError


@given(st.text(), st.text(), st.text())
def test_filled_in_one_pass(question, first, second) -> None:
    for text in ("{question_1}|{answer_1}|{answer_2}", "{QUESTION}|{ANSWER_A}|{ANSWER_B}"):
        filled = Template.parse(text).fill(question=question, first=first, second=second)
        assert filled == f"{question}|{first}|{second}"


def test_braces_of_the_template_itself() -> None:
    template = Template.parse("{{}} {QUESTION} {ANSWER_A} {ANSWER_B} {{x}}")
    filled = template.fill(question="{ANSWER_B}", first="{{", second="b")
    assert filled == "{} {ANSWER_B} {{ b {x}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{QUESTION} {ANSWER_A}", "no placeholder for second"),
        ("{QUESTION} {ANSWER_A} {ANSWER_B} {REFERENCE}", "unknown placeholder {REFERENCE}"),
        ("{QUESTION", "prompt_template: "),
    ],
)
def test_bad_templates_are_refused(text, says) -> None:
    with pytest.raises(UserError, match=says):
        Template.parse(text)
