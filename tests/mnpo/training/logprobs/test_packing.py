import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import UserError
from mnpo.training.logprobs.packing import pack, packed_tokens, plan_micro_batches

IDS = st.lists(st.integers(0, 9), min_size=1, max_size=5).map(tuple)
GROUPS = st.lists(st.tuples(IDS, st.lists(IDS, min_size=1, max_size=4)), min_size=1, max_size=4)


def test_one_row_written_out_by_hand():
    packed = pack([((1, 2), ((3, 4), (5,))), ((6,), ((7, 8, 9),))], pad_to_multiple=4, pad_id=0)
    assert packed.input_ids.tolist() == [[1, 2, 3, 6, 7, 8, 0, 0]]
    assert packed.position_ids.tolist() == [[0, 1, 2, 0, 1, 2, 0, 0]]
    assert packed.group.tolist() == [[0, 0, 0, 1, 1, 1, -1, -1]]
    assert packed.segment.tolist() == [[0, 0, 1, 0, 1, 1, 0, 0]]
    assert packed.positions.tolist() == [1, 2, 1, 3, 4, 5]
    assert packed.targets.tolist() == [3, 4, 5, 7, 8, 9]
    assert packed.owner.tolist() == [0, 0, 1, 2, 2, 2]
    assert packed.lengths.tolist() == [[2, 1], [3, 0]]
    assert packed.shape == (2, 2)
    assert packed.longest == 3


@given(GROUPS, st.integers(1, 9))
def test_every_token_is_predicted_from_all_that_precedes_it(groups, multiple):
    packed = pack(groups, pad_to_multiple=multiple, pad_id=0)
    row, group, segment, place = (
        values[0].tolist()
        for values in (packed.input_ids, packed.group, packed.segment, packed.position_ids)
    )
    used = sum(packed_tokens(each) for each in groups)
    assert len(row) % multiple == 0
    assert used <= len(row) < used + multiple
    assert group.count(-1) == len(row) - used

    most = packed.shape[1]
    predicted = list(zip(packed.owner.tolist(), packed.positions.tolist(), strict=True))
    targets = packed.targets.tolist()
    for owner in range(len(groups) * most):
        b, k = divmod(owner, most)
        prompt, responses = groups[b]
        mine = [n for n, (each, _) in enumerate(predicted) if each == owner]
        response = tuple(targets[n] for n in mine)
        assert response == (responses[k] if k < len(responses) else ())
        assert packed.lengths[b, k] == len(response)
        for t, n in enumerate(mine):
            at = predicted[n][1]
            # What stands at or before the place, in the same group, in prompt or own response.
            seen = [row[i] for i in range(at + 1) if group[i] == b and segment[i] in (0, k + 1)]
            assert tuple(seen) == (*prompt, *response[:t])
            assert place[at] == len(seen) - 1


def test_moves_every_tensor_to_a_device():
    packed = pack([((1,), ((2,),))], pad_id=0).to("meta")
    tensors = [value for value in vars(packed).values() if isinstance(value, torch.Tensor)]
    assert len(tensors) == 8
    assert all(tensor.device.type == "meta" for tensor in tensors)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([], "no group"),
        ([((1,), ((2,),)), ((), ((2,),))], "group 1 has an empty prompt"),
        ([((1,), ())], "group 0 has no response"),
        ([((1,), ((2,), ()))], "response 1 of group 0 is empty"),
    ],
)
def test_refuses_what_has_no_tokens(groups, message):
    with pytest.raises(UserError, match=message):
        pack(groups, pad_id=0)


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 50))
def test_micro_batches_hold_every_group_once_within_the_limit(counts, limit):
    rows = plan_micro_batches(counts, limit)
    assert sorted(index for row in rows for index in row) == list(range(len(counts)))
    loads = [sum(counts[index] for index in row) for row in rows]
    for row, load in zip(rows, loads, strict=True):
        assert load <= limit or len(row) == 1
    # Longest first, and no two rows that could be one (so at most twice the fewest rows).
    firsts = [counts[row[0]] for row in rows]
    assert firsts == sorted(firsts, reverse=True)
    assert len(rows) < 2 or sum(sorted(loads)[:2]) > limit
    assert rows == plan_micro_batches(tuple(counts), limit)
