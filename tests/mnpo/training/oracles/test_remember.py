import numpy as np
import pytest

from mnpo.training.oracles.answers import AnswerStore
from mnpo.training.oracles.base import OracleFailure, PreferenceOracle, RewardOracle
from mnpo.training.oracles.combine import Mixture
from mnpo.training.oracles.remember import CountingOracle, CountingRewardOracle, remember

REWARDS = {"a": 0.1, "b": 1 / 3, "c": -2.7}


def test_it_counts_queries_and_asks_each_question_once(ask, table) -> None:
    inner = table(REWARDS)
    oracle = remember(inner)
    first, second = ask("q", "a", "b", "c"), ask("r", "a", "b", "c")
    fresh = oracle.compare([first, first, second])
    assert (oracle.queries_asked, oracle.queries_saved) == (6, 3)
    again = oracle.compare([second, first])
    assert (oracle.queries_asked, oracle.queries_saved) == (6, 9)
    assert inner.asked == [first, second]
    assert (again[0] == fresh[2]).all()
    assert (again[1] == fresh[0]).all()
    assert (fresh[0] == table(REWARDS).compare([first])[0]).all()
    oracle.compare([ask("q", "b", "a", "c")])  # another order is another question
    assert len(inner.asked) == 3


def test_it_has_rewards_exactly_where_the_inner_oracle_has(ask, table) -> None:
    inner = table(REWARDS, scale=3.0)
    with_rewards, without = remember(inner), remember(Mixture([inner]))
    assert isinstance(with_rewards, RewardOracle)
    assert isinstance(with_rewards, CountingRewardOracle)
    assert not isinstance(without, RewardOracle)
    assert with_rewards.scale == 3.0
    question = [ask("q", "a", "b")]
    assert with_rewards.rewards(question)[0].tolist() == [0.1, 1 / 3]
    with_rewards.compare(question)  # from the same store
    assert (with_rewards.queries_asked, with_rewards.queries_saved) == (1, 1)


def test_answers_outlive_the_process_but_not_a_change_of_the_oracle(ask, table, tmp_path) -> None:
    path = tmp_path / "deep" / "answers.jsonl"
    question = [ask("q", "a", "b", "c")]
    (fresh,) = remember(Mixture([table(REWARDS)]), path).compare(question)
    later = table(REWARDS)
    (stored,) = remember(Mixture([later]), path).compare(question)
    assert later.asked == []
    assert (stored == fresh).all()  # to the last bit
    changed = table(REWARDS, scale=2.0)
    remember(Mixture([changed]), path).compare(question)
    assert changed.asked == question


class Broken(PreferenceOracle):
    name = "broken"

    def describe(self):
        return {}

    def compare(self, questions):
        return [np.full((2, 2), np.nan) for _ in questions]


def test_a_failed_answer_is_neither_stored_nor_counted(ask, tmp_path) -> None:
    oracle = CountingOracle(Broken(), AnswerStore(tmp_path / "a.jsonl"))
    with pytest.raises(OracleFailure, match="not a probability"):
        oracle.compare([ask("q", "a", "b")])
    assert (oracle.queries_asked, len(AnswerStore(tmp_path / "a.jsonl"))) == (0, 0)


def test_a_torn_line_is_skipped_and_the_next_one_is_whole(tmp_path, caplog) -> None:
    path = tmp_path / "a.jsonl"
    store = AnswerStore(path)
    store.put("one", 1)
    store.put("two", [0.1, 0.2], reply="x")
    path.write_bytes(path.read_bytes()[:-5])
    store = AnswerStore(path)
    assert ("one" in store, "two" in store, len(store)) == (True, False, 1)
    assert "1 damaged lines skipped" in caplog.text
    store.put("three", "A")
    store = AnswerStore(path)
    assert (store["one"], store["three"], len(store)) == (1, "A", 2)
