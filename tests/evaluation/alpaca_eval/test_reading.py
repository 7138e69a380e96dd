import csv
import gzip
import json
import math
from dataclasses import replace

import pytest

from evaluation.alpaca_eval.reading import read_annotations, read_outputs
from evaluation.alpaca_eval.reference import read_reference
from evaluation.alpaca_eval.sample import require_complete, stored_sample
from mnpo.errors import UserError


@pytest.fixture
def reference(world):
    return read_reference(world.reference)


def test_every_form_reads_the_same(world, reference):
    rows = world.annotations("mini")
    slim = [
        {"row": k, "index": k, "generator_1": row["generator_1"], "generator_2": "mini"}
        | {"annotator": "weighted", "preference": row["preference"]}
        for k, row in enumerate(rows)
    ]
    official = world.write("a.json", rows)
    lines = world.folder / "b.jsonl.gz"
    lines.write_bytes(gzip.compress("\n".join(map(json.dumps, slim)).encode()))
    table = world.folder / "c.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(slim[0]))
        writer.writeheader()
        writer.writerows(slim)
    read = [read_annotations(path, reference) for path in (official, lines, table)]
    for own in read:
        assert (own.model, own.judge, own.in_order) == ("mini", "weighted", True)
        assert own.preferences == pytest.approx(read[0].preferences, abs=1e-15)
    assert read[0].outputs == {k: world.output("mini", k) for k in range(world.size)}
    outputs = world.write(
        "outputs.json",
        [
            {"index": k, "output": world.output("mini", k), "generator": "mini"}
            for k in range(world.size)
        ],
    )
    assert read_outputs(outputs, reference).texts == read[0].outputs


def test_another_order_changes_nothing_and_is_said(world, reference):
    rows = world.annotations("mini")
    straight = stored_sample(
        read_annotations(world.write("a.json", rows), reference), None, reference
    )
    turned = stored_sample(
        read_annotations(world.write("b.json", rows[::-1]), reference), None, reference
    )
    assert (straight.preference == turned.preference).all()
    assert (straight.lengths == turned.lengths).all()
    assert not straight.flags
    assert "another order" in turned.flags[0]


def refused(world, reference, rows):
    with pytest.raises(UserError) as caught:
        read_annotations(world.write("bad.json", rows), reference)
    return str(caught.value)


def test_what_is_wrong_is_said_exactly(world, reference):
    good = world.annotations("mini")

    def changed(place, **fields):
        return [row | fields if k == place else row for k, row in enumerate(good)]

    said = refused(world, reference, [*good, good[3], good[9]])
    assert "2 rows duplicated: instruction 3 in row 4 and row 61, instruction 9" in said
    said = refused(world, reference, changed(5, instruction="What else?"))
    assert "1 rows of no instruction of the reference: row 6 ('What else?')" in said
    said = refused(world, reference, changed(5, index=5, instruction="What else?"))
    assert "1 rows with a wrong instruction: row 6" in said
    said = refused(world, reference, changed(5, index=6))
    assert "row 6 (index 6, but the text of instruction 5)" in said
    said = refused(world, reference, changed(5, dataset="part-2"))
    assert "row 6 (dataset part-2, instruction 5 is of part-0)" in said
    said = refused(world, reference, changed(5, generator_2="other"))
    assert "2 models in one file: mini (59 rows), other (1 rows)" in said
    said = refused(world, reference, changed(5, annotator="other"))
    assert "row 6: annotator 'other', before 'weighted'" in said
    assert "output_1 is not the reference's" in refused(world, reference, changed(5, output_1="?"))
    said = refused(world, reference, changed(5, generator_1="gpt-2"))
    assert "compared with 'gpt-2', but the reference is" in said
    said = refused(world, reference, [row | {"instruction": None} for row in good])
    assert "neither an instruction nor an index" in said


@pytest.mark.parametrize("value", [0.5, 2.0001, -1, 3, True, "x", "1e400", math.inf, 10**400])
def test_preferences_outside_the_set_are_refused(world, reference, value):
    rows = world.annotations("mini")
    rows[7]["preference"] = value
    assert "row 8: preference must be 0 (draw) or between 1" in refused(world, reference, rows)


def test_draws_and_missing_preferences(world, reference):
    rows = world.annotations("mini")
    for k, value in enumerate((0, 1.5, None, math.nan, "1.25")):
        rows[k]["preference"] = value
    found = read_annotations(world.write("a.json", rows), reference).preferences
    assert [found[0], found[1], found[4]] == [1.5, 1.5, 1.25]
    assert math.isnan(found[2])
    assert math.isnan(found[3])


def test_missing_rows_are_listed_and_need_permission(world, reference):
    rows = world.annotations("mini")
    rows[2]["preference"] = None
    del rows[50], rows[10]
    sample = stored_sample(
        read_annotations(world.write("a.json", rows), reference), None, reference
    )
    with pytest.raises(UserError) as caught:
        require_complete([sample], reference, False)
    assert str(caught.value) == (
        "mini: 3 of 60 annotations are missing: instruction 10, instruction 50 (no row), "
        "instruction 2 (no preference, or NaN); --allow-missing scores without them"
    )
    require_complete([sample], reference, True)
    assert (sample.scored, sample.missing) == (57, 3)
    empty = stored_sample(
        read_annotations(
            world.write("b.json", [row | {"preference": None} for row in rows]), reference
        ),
        None,
        reference,
    )
    with pytest.raises(UserError, match="not one preference"):
        require_complete([empty], reference, True)


def test_outputs_must_be_the_judged_ones(world, reference):
    judged = read_annotations(world.write("a.json", world.annotations("mini")), reference)
    rows = [
        {"index": k, "output": world.output("mini", k), "generator": "mini"}
        for k in range(world.size)
    ]
    rows[4]["output"] += "!"
    outputs = read_outputs(world.write("o.json", rows), reference)
    with pytest.raises(UserError, match=r"1 outputs are not those that .* judged: 4"):
        stored_sample(judged, outputs, reference)


def test_a_judged_row_without_its_output_is_left_out(world, reference):
    annotations = [
        {k: v for k, v in row.items() if k != "output_2"} | {"row": place}
        for place, row in enumerate(world.annotations("mini"))
    ]
    judged = read_annotations(world.write("a.json", annotations), reference)
    rows = [
        {"index": k, "output": world.output("mini", k), "generator": "mini"}
        for k in range(world.size)
        if k != 7
    ]
    sample = stored_sample(judged, read_outputs(world.write("o.json", rows), reference), reference)
    with pytest.raises(UserError) as caught:
        require_complete([sample], reference, False)
    assert str(caught.value) == (
        "mini: 1 of 60 annotations are missing: instruction 7 (judged, but its output is not "
        "there); --allow-missing scores without them"
    )
    require_complete([sample], reference, True)
    assert (sample.scored, sample.missing, sample.replay) == (59, 1, False)
    assert 7 not in sample.index
    assert sample.lengths.shape == (59, 2)
    assert "(7): left out of all figures" in sample.flags[0]
    outputs = replace(read_outputs(world.write("o.json", rows), reference), texts={})
    none = stored_sample(judged, outputs, reference)
    with pytest.raises(UserError, match="not one preference with an output"):
        require_complete([none], reference, True)


def test_an_instruction_is_a_text(world, reference):
    rows = world.annotations("mini")
    rows[3] |= {"index": 3, "instruction": 5}
    assert "row 4: instruction must be a text, got 5" in refused(world, reference, rows)


def test_a_reference_must_be_whole(world):
    rows = json.loads(world.reference.read_text())
    with pytest.raises(UserError, match="same instruction or index"):
        read_reference(world.write("r.json", [*rows, rows[0]]))
    with pytest.raises(UserError, match="one baseline only"):
        read_reference(world.write("r.json", [*rows[1:], rows[0] | {"generator": "x"}]))
    rows = [row | {"index": k + (k > 8)} for k, row in enumerate(rows)]
    with pytest.raises(UserError, match="no row with index 9"):
        read_reference(world.write("r.json", rows))


def test_a_limit_spreads_over_the_datasets(world, reference):
    few = reference.limited(6)
    assert [own.index for own in few.prompts] == [0, 10, 20, 30, 40, 50]
    assert few.total == world.size
    assert reference.limited(99).prompts == reference.prompts
