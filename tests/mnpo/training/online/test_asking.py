import numpy as np
import pytest

from mnpo.conversation import Message
from mnpo.errors import InvalidSetting
from mnpo.training import stages
from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.data.prompts import Prompt
from mnpo.training.online import asking
from mnpo.training.online.asking import ask
from mnpo.training.oracles.base import OracleFailure, PreferenceOracle
from mnpo.training.stages import StageStore

#: 70 questions, in shards of 32.
NUMBER = 70


def groups_of(contract, number=NUMBER, sizes=(3, 2, 4), **fields):
    random = np.random.default_rng(0)
    found = []
    for i in range(number):
        responses = []
        for _ in range(sizes[i % len(sizes)]):
            ids = tuple(random.integers(1, 50, random.integers(1, 6)).tolist())
            responses.append(Response(ids, " ".join(map(str, ids)), True))
        prompt = Prompt((Message("user", f"q{i}"),), **fields)
        found.append(Group(prompt, (1, i), tuple(responses)))
    return GroupDataset(contract, tuple(found))


@pytest.fixture
def dataset(contract):
    return groups_of(contract)


def texts(group):
    return [response.text for response in group.responses]


def test_answers_are_the_oracles_to_the_last_bit(tmp_path, dataset, scripted):
    oracle = scripted()
    for store in (StageStore(tmp_path), StageStore(tmp_path)):
        found = ask(store, dataset, oracle)
        assert found.rewards is None
        assert len(found.preferences) == NUMBER
        for matrix, group in zip(found.preferences, dataset.groups, strict=True):
            assert matrix.dtype == np.float64
            assert matrix.tobytes() == oracle.matrix(texts(group)).tobytes()
    assert oracle.calls == 3
    assert [q.prompt for q in oracle.asked] == [g.prompt for g in dataset.groups]
    assert [list(q.responses) for q in oracle.asked] == [texts(g) for g in dataset.groups]


def test_rewards_come_with_the_preferences(tmp_path, dataset, rewarding):
    oracle = rewarding()
    for _ in range(2):
        found = ask(StageStore(tmp_path), dataset, oracle, rewards=True)
        for i, group in enumerate(dataset.groups):
            lengths = np.array([float(len(text)) for text in texts(group)])
            assert found.rewards[i].tobytes() == np.sqrt(lengths).tobytes()
            gap = np.sqrt(lengths)[:, None] - np.sqrt(lengths)[None, :]
            np.testing.assert_allclose(found.preferences[i], 1 / (1 + np.exp(-gap)), atol=1e-12)
    assert len(oracle.asked) == NUMBER  # once, and not for the preferences again
    without = ask(StageStore(tmp_path), dataset, oracle)
    assert without.rewards is None


def test_answers_without_rewards_do_not_stand_for_those_with(tmp_path, contract, rewarding):
    dataset = groups_of(contract, 3)
    assert ask(StageStore(tmp_path), dataset, rewarding()).rewards is None
    found = ask(StageStore(tmp_path), dataset, rewarding(), rewards=True)
    assert [len(r) for r in found.rewards] == [len(g.responses) for g in dataset.groups]


def test_rewards_are_refused_from_an_oracle_without(tmp_path, dataset, scripted):
    oracle = scripted("judge")
    with pytest.raises(InvalidSetting, match="oracle 'judge' has") as caught:
        ask(StageStore(tmp_path), dataset, oracle, rewards=True)
    assert "\n" not in str(caught.value)
    assert not oracle.calls
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_failing_oracle_is_asked_only_the_rest_next_time(
    tmp_path, dataset, scripted, killed, fails_at
):
    oracle = scripted(fails_at=fails_at)
    with pytest.raises(killed):
        ask(StageStore(tmp_path), dataset, oracle)
    assert len(oracle.asked) == (fails_at - 1) * asking.SHARD
    whole = ask(StageStore(tmp_path / "whole"), dataset, scripted())
    found = ask(StageStore(tmp_path), dataset, oracle)
    assert [q.prompt for q in oracle.asked] == [g.prompt for g in dataset.groups]
    for one, two in zip(found.preferences, whole.preferences, strict=True):
        assert (one == two).all()


def test_a_failure_while_sealing_costs_no_query(tmp_path, dataset, scripted, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    oracle = scripted()
    with monkeypatch.context() as patched:
        patched.setattr(stages, "write_atomically", full)
        with pytest.raises(OSError, match="No space"):
            ask(StageStore(tmp_path), dataset, oracle)
    ask(StageStore(tmp_path), dataset, oracle)
    assert len(oracle.asked) == NUMBER


def test_a_damaged_shard_is_asked_again(tmp_path, dataset, scripted, killed):
    oracle = scripted(fails_at=3)
    with pytest.raises(killed):
        ask(StageStore(tmp_path), dataset, oracle)
    first, _ = sorted(tmp_path.rglob("shard-*.json"))
    first.write_text(first.read_text().replace("0.5", "0.6", 1))
    found = ask(StageStore(tmp_path), dataset, oracle)
    assert len(oracle.asked) == NUMBER + asking.SHARD
    for matrix, group in zip(found.preferences, dataset.groups, strict=True):
        assert (matrix == oracle.matrix(texts(group))).all()


def test_another_description_is_another_stage(tmp_path, dataset, scripted):
    first, second = scripted("one"), scripted("two")
    one = ask(StageStore(tmp_path), dataset, first)
    two = ask(StageStore(tmp_path), dataset, second)
    assert len(second.asked) == NUMBER
    assert (one.preferences[0] != two.preferences[0]).any()


def test_another_text_prompt_or_demonstration_is_another_stage(tmp_path, contract, scripted):
    oracle, number = scripted(), 3
    ask(StageStore(tmp_path), groups_of(contract, number), oracle)
    ask(StageStore(tmp_path), groups_of(contract, number, demonstrations=("kind",)), oracle)
    ask(StageStore(tmp_path), groups_of(contract, number, sizes=(2,)), oracle)
    ask(StageStore(tmp_path), groups_of(contract, number), oracle)
    assert len(oracle.asked) == 3 * number


@pytest.mark.parametrize("size", [2, 3])
def test_ranks_share_the_questions(tmp_path, dataset, scripted, on_ranks, size):
    oracles = [scripted() for _ in range(size)]

    def work(world):
        return ask(StageStore(tmp_path, world), dataset, oracles[world.rank])

    found = on_ranks(size, work)
    assert sum(len(oracle.asked) for oracle in oracles) == NUMBER
    assert all(oracle.asked for oracle in oracles)
    for answers in found:
        for matrix, group in zip(answers.preferences, dataset.groups, strict=True):
            assert (matrix == oracles[0].matrix(texts(group))).all()


def test_groups_of_nothing_and_of_one_are_kept_in_their_place(tmp_path, contract, scripted):
    """Responses may have been dropped; an oracle cannot be asked about none."""
    dataset = groups_of(contract, 6, sizes=(2, 0, 1))
    oracle = scripted()
    found = ask(StageStore(tmp_path), dataset, oracle)
    assert [matrix.shape for matrix in found.preferences] == [(2, 2), (0, 0), (1, 1)] * 2
    assert all(question.responses for question in oracle.asked)


class Broken(PreferenceOracle):
    """Breaks its promise."""

    def __init__(self, answers):
        self.name, self.answers = "broken", answers

    def describe(self):
        return {}

    def compare(self, questions):
        return self.answers(questions)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (
            lambda qs: [np.full((2, 2), 0.5)] * (len(qs) - 1),
            "oracle 'broken' answered . times to 5",
        ),
        (
            lambda qs: [np.full((2, 2), 0.5)] * (len(qs) + 1),
            "oracle 'broken' answered . times to 5",
        ),
        (lambda qs: [np.full((3, 3), 0.5) for _ in qs], "2 responses got a matrix"),
        (lambda qs: [np.full((2, 2), np.nan) for _ in qs], "not a probability"),
        (lambda qs: [np.full((2, 2), 0.7) for _ in qs], "do not sum to one"),
    ],
)
def test_what_is_no_answer_is_a_failure(tmp_path, contract, answers, says):
    with pytest.raises(OracleFailure, match=says) as caught:
        ask(StageStore(tmp_path), groups_of(contract, 5, sizes=(2,)), Broken(answers))
    assert "\n" not in str(caught.value)


def test_rewards_that_are_no_numbers_are_a_failure(tmp_path, contract, rewarding):
    class Bad(rewarding):
        def rewards(self, questions):
            return [np.array([np.inf, 0.0]) for _ in questions]

    with pytest.raises(OracleFailure, match="the reward of response 0 is inf"):
        ask(StageStore(tmp_path), groups_of(contract, 3, sizes=(2,)), Bad(), rewards=True)
