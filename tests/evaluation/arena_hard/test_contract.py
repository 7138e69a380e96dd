import pytest

from evaluation.arena_hard.config import read_config
from evaluation.arena_hard.contract import VerdictContract
from mnpo.judging.calls import InvalidReply, Reply


@pytest.fixture(params=[False, True], ids=["2024", "now"])
def contract(request, files):
    return VerdictContract(read_config(files(current=request.param)["config"]))


def test_a_label_is_read(contract) -> None:
    assert contract.read(Reply("I cook too. [[B>>A]]")) == "B>>A"
    assert contract.read(Reply("[[A<B]]")) == "B>A"


@pytest.mark.parametrize("text", ["", "A is better", "[[A>>>B]]", "[[C]]"])
def test_no_label_is_invalid(contract, text) -> None:
    with pytest.raises(InvalidReply):
        contract.read(Reply(text))


def test_contradictory_labels_follow_the_generation(files) -> None:
    reply = Reply("[[A>B]], on reflection [[B>A]]")
    with pytest.raises(InvalidReply, match="contradict"):
        VerdictContract(read_config(files(current=False)["config"])).read(reply)
    assert VerdictContract(read_config(files(current=True)["config"])).read(reply) == "B>A"


def test_another_reading_has_another_name(files) -> None:
    old = VerdictContract(read_config(files(current=False)["config"]))
    new = VerdictContract(read_config(files(current=True)["config"]))
    assert old.name != new.name
    assert old.name.startswith("arena-hard/verdict@1/")


def test_a_scoring_judge_gives_its_likeliest_choice(contract) -> None:
    scores = dict.fromkeys(contract.choices, -3.0) | {"[[A=B]]": -0.1}
    assert contract.read(Reply("", choices=scores)) == "A=B"


def test_an_oracle_s_preference_is_refused_with_the_reason(contract) -> None:
    with pytest.raises(InvalidReply, match="not by how much"):
        contract.read(Reply("", preference=0.9))
