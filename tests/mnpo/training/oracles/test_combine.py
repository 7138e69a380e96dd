from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.training.oracles.base import OracleFailure, PreferenceOracle
from mnpo.training.oracles.combine import (
    LengthFree,
    Majority,
    Mixture,
    Noisy,
    RandomAnnotator,
    RewardSum,
)

ABC = ("a", "b", "c")


class Fixed(PreferenceOracle):
    name = "fixed"

    def __init__(self, matrix) -> None:
        self.matrix = np.asarray(matrix)

    def describe(self):
        return {"matrix": self.matrix.tolist()}

    def compare(self, questions):
        return [self.matrix for _ in questions]


@st.composite
def annotators(draw):
    size, number = draw(st.integers(2, 4)), draw(st.integers(1, 6))
    made = []
    for _ in range(number):
        p = np.full((size, size), 0.5)
        for i, j in combinations(range(size), 2):
            p[i, j] = draw(st.floats(0, 1, allow_nan=False))
            p[j, i] = 1 - p[i, j]
        made.append(Fixed(p))
    return made


def questions_for(ask, made):
    return [ask("q", *(f"text {n}" for n in range(len(made[0].matrix))))]


@given(made=annotators())
def test_an_independent_majority_is_what_counting_all_votes_gives(ask_plain, made) -> None:
    (p,) = Majority(made).compare(questions_for(ask_plain, made))
    size = len(p)
    for i, j in combinations(range(size), 2):
        expected = 0.0
        for votes in product([0, 1], repeat=len(made)):  # the naive twin: every outcome
            chance = np.prod(
                [
                    a.matrix[i, j] if v else 1 - a.matrix[i, j]
                    for v, a in zip(votes, made, strict=True)
                ]
            )
            lead = 2 * sum(votes) - len(made)
            expected += chance * (1.0 if lead > 0 else 0.5 if lead == 0 else 0.0)
        assert p[i, j] == pytest.approx(expected, abs=1e-12)
    assert np.abs(p + p.T - 1).max() <= 1e-12


@given(made=annotators())
def test_a_mixture_is_linear(ask_plain, made) -> None:
    weights = np.arange(1, len(made) + 1) / sum(range(1, len(made) + 1))
    (p,) = Mixture(made, weights).compare(questions_for(ask_plain, made))
    expected = sum(w * a.matrix for w, a in zip(weights, made, strict=True))
    assert np.abs(p - expected).max() <= 1e-15 * len(made)


def condorcet(table):
    """Three annotators with scalar rewards, so transitive, in the classical rotation."""
    orders = [(3.0, 2.0, 1.0), (1.0, 3.0, 2.0), (2.0, 1.0, 3.0)]
    return [
        table(dict(zip(ABC, order, strict=True)), f"voter {n}", scale=0.1)
        for n, order in enumerate(orders)
    ]


@pytest.mark.parametrize("votes", ["sharp", "independent"])
def test_three_transitive_annotators_yield_a_cyclic_majority(ask, table, votes) -> None:
    voters = condorcet(table)
    for voter in voters:
        (p,) = voter.compare([ask("q", *ABC)])
        order = np.argsort(-p.sum(axis=1))
        assert (p[np.ix_(order, order)][np.triu_indices(3, 1)] > 0.99).all()  # transitive
    (p,) = Majority(voters, votes).compare([ask("q", *ABC)])
    a, b, c = range(3)
    assert min(p[a, b], p[b, c], p[c, a]) > 0.99  # a > b > c > a


def test_a_mixture_of_the_same_three_is_cyclic_too(ask, table) -> None:
    (p,) = Mixture(condorcet(table)).compare([ask("q", *ABC)])
    assert min(p[0, 1], p[1, 2], p[2, 0]) == pytest.approx(2 / 3, abs=1e-3)


def test_sharp_votes_abstain_and_tie(ask) -> None:
    for_a = Fixed([[0.5, 0.6], [0.4, 0.5]])
    for_b = Fixed([[0.5, 0.1], [0.9, 0.5]])
    undecided = Fixed(np.full((2, 2), 0.5))
    question = [ask("q", "a", "b")]

    def p(*voters):
        return Majority(voters, "sharp").compare(question)[0][0, 1]

    assert p(for_a, for_b) == p(undecided) == 0.5
    assert p(for_a, undecided) == p(for_a, for_a, for_b) == 1
    assert p(for_b, for_b, for_a) == 0


def test_the_random_annotator_is_one_annotator_and_the_mixture_on_average(ask, table) -> None:
    first = table({"a": 0.0, "b": 1.0}, "first")
    second = table({"a": 1.0, "b": 0.0}, "second")
    question = ask("q", "a", "b")
    single = [o.compare([question])[0][0, 1] for o in (first, second)]
    seen = []
    for seed in range(2000):
        oracle = RandomAnnotator([first, second], [0.8, 0.2], seed=seed)
        (p,) = oracle.compare([question])
        assert p[0, 1] == single[oracle.who(question)]
        seen.append(p[0, 1])
    (expected,) = Mixture([first, second], [0.8, 0.2]).compare([question])
    spread = abs(single[0] - single[1]) * np.sqrt(0.8 * 0.2 / 2000)
    assert np.mean(seen) == pytest.approx(expected[0, 1], abs=4 * spread)


def test_the_draw_knows_neither_order_nor_batch(ask, table) -> None:
    voters = [table({"a": 0.0, "b": 1.0, "c": 2.0}, str(n)) for n in range(3)]
    oracle = RandomAnnotator(voters)
    asked = [ask(f"question {n}", "a", "b", "c") for n in range(30)]
    who = [oracle.who(q) for q in asked]
    assert set(who) == {0, 1, 2}
    assert [oracle.who(ask(q.prompt.text, "c", "a", "b", "a")) for q in asked] == who
    oracle.compare(asked)
    assert [len(v.asked) for v in voters] == [who.count(n) for n in range(3)]
    by_prompt = RandomAnnotator(voters, per="prompt")
    assert [by_prompt.who(q) for q in asked] == [
        by_prompt.who(ask(q.prompt.text, "x", "y")) for q in asked
    ]


def test_noise_turns_answers_round(ask) -> None:
    sure = Fixed([[0.5, 1.0], [0.0, 0.5]])
    (p,) = Noisy(sure, 0.1).compare([ask("q", "a", "b")])
    assert p.tolist() == [[0.5, 0.9], [pytest.approx(0.1), 0.5]]


def test_sums_and_length_corrections_are_rewards(ask, table) -> None:
    one, two = table({"a": 1.0, "b c d": 5.0}), table({"a": 10.0, "b c d": 0.0})
    question = [ask("q", "a", "b c d")]
    (r,) = RewardSum([one, two], [2.0, -0.5]).rewards(question)
    assert r.tolist() == [2 - 5, 10.0]
    (r,) = LengthFree(one, 2.0).rewards(question)  # two a word explain the whole difference
    assert r.tolist() == [-1, -1]


def test_queries_count_every_annotator_that_is_asked(table) -> None:
    voters = [table({})] * 3
    assert Mixture(voters).queries(4) == Majority(voters).queries(4) == 18
    assert RandomAnnotator(voters).queries(4) == Noisy(voters[0], 0.1).queries(4) == 6


@pytest.mark.parametrize(
    "make",
    [
        lambda o: Mixture([o]),
        lambda o: Majority([o]),
        lambda o: Noisy(o, 0.1),
        lambda o: RandomAnnotator([o]),
    ],
)
@pytest.mark.parametrize("bad", [[[0.5, np.nan], [0.5, 0.5]], [[0.5, 0.7], [0.5, 0.5]]])
def test_an_invalid_answer_inside_is_not_repaired(ask, make, bad) -> None:
    with pytest.raises(OracleFailure):
        make(Fixed(bad)).compare([ask("q", "a", "b")])
