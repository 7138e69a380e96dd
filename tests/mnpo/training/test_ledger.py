import json
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from mnpo.training.ledger import Ledger

COUNTS = [field.name for field in fields(Ledger)]
LEDGERS = st.fixed_dictionaries({name: st.integers(0, 10**12) for name in COUNTS}).map(
    lambda counts: Ledger(**counts)
)


@given(LEDGERS, LEDGERS, LEDGERS)
def test_ledgers_add_up_count_by_count(first, second, third):
    total = first + second
    for name in COUNTS:
        assert getattr(total, name) == getattr(first, name) + getattr(second, name)
    assert first + second == second + first
    assert (first + second) + third == first + (second + third)
    assert first + Ledger() == first


@given(LEDGERS)
def test_a_description_names_every_count(ledger):
    described = json.loads(json.dumps(ledger.describe()))
    assert list(described) == COUNTS
    assert Ledger(**described) == ledger
