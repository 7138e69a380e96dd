import math

import pytest
from alpaca_eval.completion_parsers import logprob_parser
from hypothesis import given
from hypothesis import strategies as st

from evaluation.alpaca_eval.annotator import open_annotator
from evaluation.alpaca_eval.contract import contract_of
from evaluation.data.files import BenchmarkFiles
from mnpo.judging.calls import InvalidReply, Reply

NONE = BenchmarkFiles("alpaca-eval", {})


def contract(name):
    return contract_of(open_annotator(name, NONE))


TOKENS = st.dictionaries(
    st.sampled_from(["m", "M", " m", "Both", "\n"]), st.floats(-30, 0), min_size=1
)


@pytest.mark.parametrize("binarize", [False, True])
@given(tokens=TOKENS)
def test_log_probabilities_are_read_as_the_package_reads_them(tokens, binarize):
    name = "alpaca_eval_clf_gpt4_turbo" if binarize else "weighted_alpaca_eval_gpt4_turbo"
    top = [{"token": token, "logprob": own} for token, own in tokens.items()]
    (wanted,) = logprob_parser(
        {"logprobs": {"content": [{"top_logprobs": top}]}}, "m", ["m", "M"], is_binarize=binarize
    )
    reply = Reply("M", first_token=tuple(tokens.items()))
    if math.isnan(wanted):
        with pytest.raises(InvalidReply):
            contract(name).read(reply)
    else:
        found = contract(name).read(reply)
        assert found == {"preference": pytest.approx(wanted, abs=1e-12), "read": "logprobs"}


def test_other_kinds_of_judges():
    own = contract("weighted_alpaca_eval_gpt4_turbo")
    assert own.choices == ("m", "M")
    even = own.read(Reply("", choices={"m": -3.0, "M": -3.0}))
    assert even == {"preference": 1.5, "read": "logprobs"}
    first = own.read(Reply("", choices={"m": 0.0, "M": -800.0}))
    assert first["preference"] == 1.0
    assert own.read(Reply("", preference=0.9)) == {
        "preference": pytest.approx(1.1),
        "read": "oracle",
    }
    assert own.read(Reply(" M\n")) == {"preference": 2.0, "read": "text"}
    assert own.read(Reply("m")) == {"preference": 1.0, "read": "text"}


@pytest.mark.parametrize("text", ["", "Both", "mM", "I prefer m", "m or M"])
def test_text_that_names_no_answer_is_invalid(text):
    with pytest.raises(InvalidReply):
        contract("weighted_alpaca_eval_gpt4_turbo").read(Reply(text))


@pytest.mark.parametrize("tokens", [[("Both", -0.1)], [("m", -math.inf)]])
def test_candidates_without_an_answer_are_invalid(tokens):
    with pytest.raises(InvalidReply):
        contract("weighted_alpaca_eval_gpt4_turbo").read(Reply("m", first_token=tuple(tokens)))


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("chatgpt", "Output (a)", 1.0),
        ("chatgpt", "Output (b) it is", 2.0),
        ("chatgpt", "Output (a)\nOutput (b)", None),
        ("chatgpt", "neither", None),
        ("lmsys_gpt4", "8 7\nbecause", 1.0),
        ("lmsys_gpt4", "6.5 7", 2.0),
        ("lmsys_gpt4", "5 5", 1.5),
        ("lmsys_gpt4", "good", None),
        (
            "alpaca_eval_gpt4",
            "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]",
            1.0,
        ),
        (
            "alpaca_eval_gpt4",
            "[{'model': 'model_2', 'rank': 1}, {'model': 'model_1', 'rank': 2}]",
            2.0,
        ),
        ("alpaca_eval_gpt4", "[{'model': 'model_1', 'rank': 3}]", None),
        ("alpaca_eval_gpt4", "(" * 5000, None),
        ("alpaca_eval_gpt4", "", None),
    ],
)
def test_text_parsers(name, text, wanted, caplog, capsys):
    own = contract(name)
    if wanted is None:
        with pytest.raises(InvalidReply):
            own.read(Reply(text))
    else:
        assert own.read(Reply(text)) == {"preference": wanted, "read": "text"}
    assert not caplog.records  # the package would print the whole reply as an error
    assert capsys.readouterr() == ("", "")


def test_another_reading_has_another_name():
    names = [
        "weighted_alpaca_eval_gpt4_turbo",
        "alpaca_eval_clf_gpt4_turbo",
        "chatgpt",
        "lmsys_gpt4",
    ]
    assert len({contract(name).name for name in names}) == 4
