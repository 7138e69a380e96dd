import re
from collections import Counter

import pytest

from evaluation.mini.questions import mini_questions

#: Worked out apart from the answers' texts.
RESULTS = {
    "arithmetic-1": [2 * 24 + 3 * 12],
    "arithmetic-2": [round(56 / (1 - 0.3))],
    "arithmetic-3": [150 // (6 - 1)],
    "arithmetic-4": [17 * 23],
    "arithmetic-5": [(4 + 6.5 + 7.5) / 3, 4 * 7 - (4 + 6.5 + 7.5)],
}
WORDS = {
    "reasoning-1": "Anna is the second tallest",
    "reasoning-4": "Friday",
    "reasoning-5": "Lea owns the fish, Max the cat and Nora the dog",
}


def test_eight_categories_of_five_and_a_first_part_of_all():
    questions = [own.question for own in mini_questions()]
    assert len({q.id for q in questions}) == len({q.turns for q in questions}) == 40
    assert set(Counter(q.category for q in questions).values()) == {5}
    assert len({q.category for q in questions[:8]}) == 8
    for own in mini_questions():
        assert len(own.question.turns) == 1
        assert 3 < len(own.question.turns[0].split()) <= 120
        assert 1 <= len(own.reference.split()) <= 130
        assert own.question.max_tokens == 256


def reference(name):
    return next(own.reference for own in mini_questions() if own.question.id == name)


@pytest.mark.parametrize("name", RESULTS)
def test_arithmetic(name):
    numbers = {float(x) for x in re.findall(r"\d+(?:\.\d+)?", reference(name))}
    assert {float(x) for x in RESULTS[name]} <= numbers


@pytest.mark.parametrize("name", WORDS)
def test_reasoning(name):
    assert WORDS[name] in reference(name)


def test_which_numbers_of_pens():
    def possible(n):
        return any(4 * a + 7 * b == n for a in range(n) for b in range(n))

    assert (possible(17), possible(18)) == (False, True)
    assert "17 is not possible" in reference("reasoning-3")


def run(name):
    (source,) = re.findall(r"```python\n(.*?)```", reference(name), re.DOTALL)
    space = {}
    exec(source, space)
    return space


def test_the_code_does_what_it_says(capsys):
    assert run("coding-1")["count_vowels"]("Hello World") == 3
    assert run("coding-1")["count_vowels"]("AEIOU xyz") == 5
    assert run("coding-5")["without_duplicates"]([3, 1, 3, 2, 1]) == [3, 1, 2]
    run("coding-2")
    assert capsys.readouterr().out.split() == list("12345")
    assert str([x * x for x in range(6) if x % 2 == 1]) in reference("coding-4")


def test_the_query():
    import sqlite3

    (query,) = re.findall(r"```sql\n(.*?)```", reference("coding-3"), re.DOTALL)
    base = sqlite3.connect(":memory:")
    base.execute("create table customers (name, city)")
    rows = [("Zoe", "Lisbon"), ("Ana", "Lisbon"), ("Bo", "Porto")]
    base.executemany("insert into customers values (?, ?)", rows)
    assert base.execute(query).fetchall() == [("Ana",), ("Zoe",)]
    base.close()


def test_what_was_forbidden_or_counted():
    text = reference("writing-3").lower()
    assert "perfect" not in text
    assert "amazing" not in text
    assert 40 <= len(text.split()) <= 60
    assert len(reference("writing-5").split()) <= 80
    assert len(reference("writing-2").splitlines()) == 4
    assert len(reference("summarising-2").splitlines()) == 3
    assert len(reference("summarising-3").split()) <= 8
