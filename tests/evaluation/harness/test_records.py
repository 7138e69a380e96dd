import pytest

from evaluation.harness.records import to_document
from evaluation.rows import Row
from mnpo.errors import UserError


def row(**values):
    return Row(values, "own.jsonl, row 7")


def test_arc_of_both_forms_is_the_same_document():
    flat = row(query="Question: What is wet?\nAnswer:", choices=["rain", "ash"], gold=0, id="a")
    official = row(
        question="What is wet?",
        choices={"text": ["rain", "ash"], "label": ["A", "B"]},
        answerKey="A",
    )
    assert to_document("arc", flat) == to_document("arc", official)


def test_hellaswag_of_both_forms_is_the_same_document():
    official = row(
        activity_label="Cooking soup",
        ctx_a="A man stirs [header] a pot.",
        ctx_b="he",
        endings=["tastes it.", "flies."],
        label="0",
    )
    flat = row(
        query="Cooking soup: A man stirs a pot. He", choices=["tastes it.", "flies."], gold=0
    )
    assert to_document("hellaswag", official) == to_document("hellaswag", flat)


def test_truthfulqa_choices_from_the_table():
    made = to_document(
        "truthfulqa",
        row(
            **{
                "Question": "Does soup think?",
                "Best Answer": "No, it does not",
                "Correct Answers": "No; No, it does not.; It cannot ",
                "Incorrect Answers": "Yes; Only when hot;",
            }
        ),
    )
    assert made["mc1_targets"] == {
        "choices": ["No, it does not.", "Yes.", "Only when hot."],
        "labels": [1, 0, 0],
    }
    assert made["mc2_targets"]["labels"] == [1, 1, 1, 0, 0]
    assert made["mc2_targets"]["choices"][2] == "It cannot."


def test_truthfulqa_multiple_choice_file():
    own = {"mc1_targets": {"No.": 1, "Yes.": 0}, "mc2_targets": {"No.": 1, "Yes.": 0}}
    made = to_document("truthfulqa", row(question="Does soup think?", **own))
    assert made["mc1_targets"] == {"choices": ["No.", "Yes."], "labels": [1, 0]}


@pytest.mark.parametrize(
    ("task", "values", "message"),
    [
        ("gsm8k", {"question": "How many?", "answer": "12"}, "no '#### NUMBER'"),
        ("gsm8k", {"answer": "#### 12"}, "has no question"),
        ("winogrande", {"sentence": "No gap.", "option1": "a", "option2": "b", "answer": "1"}, "_"),
        (
            "winogrande",
            {"sentence": "A _.", "option1": "a", "option2": "b", "answer": "3"},
            "'1' or '2'",
        ),
        ("mmlu", {"subject": "s", "question": "q", "choices": ["a"], "answer": 0}, "4 choices"),
        (
            "mmlu",
            {"subject": "s", "question": "q", "choices": list("abcd"), "answer": True},
            "answer is True",
        ),
        ("arc", {"query": "q", "choices": ["a"], "gold": 1}, "gold is 1"),
        ("minerva-math", {"problem": "p", "solution": "5"}, "boxed"),
        ("aime24", {"problem": "p", "answer": None}, "answer is None"),
        (
            "ifeval",
            {"key": 1, "prompt": "p", "instruction_id_list": ["a"], "kwargs": []},
            "1 instructions have 0 kwargs",
        ),
        ("truthfulqa", {"question": "q", "mc1_targets": {"a": 2}}, "mc1_targets"),
        ("humaneval", {"task_id": "x"}, "has no prompt"),
    ],
)
def test_bad_records_name_their_place(task, values, message):
    with pytest.raises(UserError, match=r"own.jsonl, row 7.*") as caught:
        to_document(task, row(**values))
    assert message in str(caught.value)
