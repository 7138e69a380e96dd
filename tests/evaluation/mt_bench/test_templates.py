import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.mt_bench.templates import JudgeTemplate, read_templates
from mnpo.errors import UserError


def test_braces_in_answers_stay_and_are_not_filled_again():
    template = JudgeTemplate("t", "Judge.", "Q {question} A {answer} {{done}}")
    system, user = template.messages({"question": "{answer} {{x}}", "answer": "{question} } {"})
    assert (system.role, system.content) == ("system", "Judge.")
    assert user.content == "Q {answer} {{x}} A {question} } { {done}"


def test_no_system_turn_without_a_text():
    assert [m.role for m in JudgeTemplate("t", "", "{a}").messages({"a": "x"})] == ["user"]


def test_an_unknown_place_is_refused():
    with pytest.raises(UserError, match=r"nothing is known for \{anwser\}; did you mean 'answer'"):
        JudgeTemplate("t", "", "{anwser}").messages({"answer": "x"})


@given(
    st.dictionaries(st.sampled_from("abc"), st.text(alphabet="{}abc \n", max_size=9), min_size=3)
)
def test_as_pythons_own_formatting(values):
    text = "{a}-{{{b}}}-{{c}}-{c}{a}"
    own = JudgeTemplate("t", "", text).messages(values)[0].content
    assert own == text.format(**values)


def test_another_text_has_another_hash():
    one, two = JudgeTemplate("t", "s", "a"), JudgeTemplate("t", "s", "b")
    assert one.label != two.label
    assert one.label.startswith("t@")


@pytest.mark.shared_data
def test_the_official_templates_are_filled_as_the_official_code_does(shared_data):
    path = shared_data / "data" / "mt_bench" / "judge_prompts.jsonl"
    found = read_templates(path, "[[rating]]") | read_templates(path, "[[A]]")
    assert len(found) == 8
    for template in found.values():
        places = {name for _, name, _, _ in string.Formatter().parse(template.text) if name}
        values = {name: f"<{name}> {{question}} {{0}}" for name in places}
        system, user = template.messages(values)
        assert user.content == template.text.format(**values)
        assert system.content == template.system
