import asyncio

import numpy as np
import pytest
from word_game import WordOracle

from evaluation.judges.build import build_judge
from evaluation.judges.oracle import OracleJudge
from evaluation.judges.settings import read_judge
from mnpo.conversation import Message
from mnpo.judging.calls import JudgeFailure
from mnpo.training.data.prompts import Prompt
from mnpo.training.oracles.base import OracleFailure, Question
from mnpo.training.oracles.build import build_oracle
from mnpo.training.oracles.settings import MatrixSettings

RPS = [[0.5, 0.1, 0.9], [0.9, 0.5, 0.1], [0.1, 0.9, 0.5]]
WORDS = ("rock", "paper", "scissors")


def ask(judge, *calls):
    async def main():
        async with judge:
            return await asyncio.gather(
                *(judge.answer(call, 0) for call in calls), return_exceptions=True
            )

    return asyncio.run(asyncio.wait_for(main(), 30))


def test_the_preference_is_the_oracles_for_the_order_shown(calls) -> None:
    judge = OracleJudge(WordOracle(strength=0.3))
    replies = ask(judge, *(calls.pair(a, b) for a in WORDS for b in WORDS))
    question = Question(Prompt((Message("user", "Say a word."),)), WORDS)
    (expected,) = WordOracle(strength=0.3).compare([question])
    found = np.array([reply.preference for reply in replies]).reshape(3, 3)
    assert found == pytest.approx(expected)
    assert found + found.T == pytest.approx(1)
    assert {reply.text for reply in replies} == {""}
    assert all(reply.choices is None for reply in replies)


def test_calls_that_wait_together_are_one_batch(calls) -> None:
    class Counting(WordOracle):
        batches: list[int] = []  # noqa: RUF012

        def compare(self, questions):
            self.batches.append(len(questions))
            return super().compare(questions)

    ask(OracleJudge(Counting(), batch_size=4), *[calls.pair("rock", "paper")] * 10)
    assert Counting.batches == [4, 4, 2]


def test_a_call_that_compares_nothing_is_refused(calls) -> None:
    (error,) = ask(OracleJudge(WordOracle()), calls.one(item="q7"))
    assert isinstance(error, JudgeFailure)
    assert "q7: 'words' is an oracle and compares two answers; it cannot grade one" in str(error)


def test_one_answer_that_the_oracle_does_not_know_costs_the_others_nothing(calls) -> None:
    judge = OracleJudge(build_oracle(MatrixSettings(actions=WORDS, matrix=RPS)))
    asked = [calls.pair("rock", "paper"), calls.pair("well", "rock"), calls.pair("paper", "rock")]
    one, error, two = ask(judge, *asked)
    assert (one.preference, two.preference) == (0.1, 0.9)
    assert isinstance(error, JudgeFailure)
    assert "'well' is none of" in str(error)


def test_an_oracle_that_breaks_is_no_verdict(calls) -> None:
    class Broken(WordOracle):
        def compare(self, questions):
            raise OracleFailure("no memory")

    found = ask(OracleJudge(Broken()), *[calls.pair("rock", "paper")] * 3)
    assert [str(error) for error in found] == ["q1: no memory"] * 3


@pytest.mark.parametrize(
    "oracle",
    [
        {"kind": "rule", "rule": "brevity", "target": 3},
        {"kind": "matrix", "actions": list(WORDS), "matrix": RPS},
        {
            "kind": "mixture",
            "annotators": [
                {"kind": "rule", "rule": "brevity", "target": 1},
                {"kind": "noisy", "flip": 0.2, "oracle": {"kind": "rule", "rule": "brevity"}},
            ],
        },
    ],
)
def test_every_kind_is_built_from_its_settings(calls, oracle) -> None:
    judge = build_judge(read_judge({"kind": "oracle", "oracle": oracle}))
    (ab,), (ba,) = ask(judge, calls.pair("rock", "paper")), ask(judge, calls.pair("paper", "rock"))
    assert ab.preference + ba.preference == pytest.approx(1)
    assert judge.describe()["kind"] == "oracle"
    assert judge.parameters(calls.one()) == {"max_tokens": 0}


def test_a_pair_model_judges_as_it_does_in_training(folder, calls) -> None:
    from mnpo.training.oracles.settings import PairModelSettings

    settings = PairModelSettings(
        model=str(folder), template="{{ prompt }} {{ response_a }} or {{ response_b }}?"
    )
    spec = read_judge({"kind": "oracle", "oracle": settings.model_dump()})
    replies = ask(build_judge(spec), *(calls.pair(a, "rain") for a in WORDS))
    questions = [Question(Prompt((Message("user", "Say a word."),)), (a, "rain")) for a in WORDS]
    expected = [matrix[0, 1] for matrix in build_oracle(settings).compare(questions)]
    assert [reply.preference for reply in replies] == pytest.approx(expected, abs=1e-6)
    assert build_judge(spec).name == "pair-model(random-judge)"


def test_a_game_is_found_by_the_caller() -> None:
    spec = read_judge(
        {"kind": "oracle", "oracle": {"kind": "matrix", "actions": WORDS, "game": "rps"}}
    )
    judge = build_judge(spec, games=lambda name, parameters: np.array(RPS))
    assert judge.name == "rps"
