"""Runs in, board out: what stands where, and where it comes from."""

import csv
import json
import shutil

import numpy as np
import pytest

from evaluation.statistics import mean_interval, paired_difference
from evaluation.tidy import Origin
from leaderboards.board import Board, Section
from leaderboards.collect import collect_board
from leaderboards.options import BoardOptions

MINI = "mini-v1/win_rate"


def models(board: Board) -> Section:
    (found,) = (own for own in board.sections if own.kind == "models")
    return found


def entry(board: Board, name: str):
    (found,) = (own for own in models(board).entries if own.name == name)
    return found


def figures(board: Board) -> dict:
    """Everything that the paths' order must not change."""
    return {
        "sections": board.sections,
        "plots": [
            (p.title, [(c.label, c.x.tolist(), c.y.tolist()) for c in p.curves])
            for p in board.plots
        ],
        "tables": board.tables,
        "pools": [(p.key, p.names, p.wins.tolist(), p.ratings) for p in board.pools],
        "runs": [(r.key, r.kind, r.files) for r in board.runs],
        "notes": board.notes,
    }


def test_training_and_evaluation_of_it_are_one_row(runs) -> None:
    train = runs.training()
    evaluated = runs.evaluation(models=runs.evaluated(), flags=["it repeats itself"])
    board = collect_board([train, evaluated], command="mnpo-bench leaderboard ...")
    section = models(board)
    assert sorted(own.name for own in section.entries) == ["inpo", "mnpo", "sft"]
    own = entry(board, "mnpo")
    assert (own.label, own.origin, own.iteration, own.seeds) == ("TD-MNPO", "train", 1, (0,))
    assert {"cross-play/win_rate/against/sft", MINI, "training/loss"} <= own.figures.keys()
    assert own.figures[MINI].flags == ("it repeats itself",)
    assert own.figures[MINI].basis == "prompts"
    start = entry(board, "sft")
    assert (start.origin, start.iteration, start.seeds) == ("", 0, ())
    assert {"cross-play/win_rate", MINI} <= start.figures.keys()
    assert "cross-play/win_rate/against/sft" not in start.figures
    assert [own.key for own in board.runs] == ["eval", "train"]
    assert board.runs[0].facts["command"] == "mnpo-bench evaluate 'a b'"
    assert board.command == "mnpo-bench leaderboard ..."
    assert section.sorted_by == "cross-play/win_rate"  # which the start has too


def test_an_evaluation_alone_names_the_run_it_came_from(runs) -> None:
    board = collect_board([runs.evaluation(models=runs.evaluated(seeds=(0, 1)))])
    own = entry(board, "inpo")
    assert (own.origin, own.iteration, own.seeds) == ("", None, (0, 1))
    assert own.figures[MINI].seeds == 2


def test_seeds_are_averaged_never_picked(runs) -> None:
    train = runs.training(seeds=(0, 1, 2), value=lambda method, seed: 0.5 + 0.1 * seed)
    board = collect_board([train])
    own = entry(board, "mnpo").figures["cross-play/win_rate/against/sft"]
    assert own.interval.value == pytest.approx(0.6)
    assert (own.seeds, own.basis, own.spread) == (3, "seeds and prompts", pytest.approx(0.1))
    assert len(own.sources) == 3


def test_runs_that_differ_by_seeds_count_as_one(runs) -> None:
    one, other = runs.training("a", seeds=(0,)), runs.training("b", seeds=(7,))
    board = collect_board([one, other])
    assert entry(board, "mnpo").seeds == (0, 7)
    assert entry(board, "mnpo").figures["cross-play/win_rate"].seeds == 2
    assert any("a and b are one recipe with other seeds" in note for note in board.notes)
    (ledger,) = (t for t in board.tables if t.title == "What training cost")
    assert ledger.rows[0][2:4] == (2, 13.5)


def test_the_start_among_other_seeds_is_averaged(runs) -> None:
    """Its win rate against the pool differs from run to run, and that is no contradiction."""
    one = runs.training("a", seeds=(0,), start=0.40)
    other = runs.training("b", seeds=(7,), start=0.42)
    own = entry(collect_board([one, other]), "sft").figures["cross-play/win_rate"]
    assert own.interval.value == pytest.approx(0.41)
    assert (own.seeds, own.basis, len(own.sources)) == (0, "prompts", 2)


def test_pools_of_another_size_are_not_mixed(runs) -> None:
    one, other = runs.training("a", seeds=(0,)), runs.training("b", seeds=(7, 8))
    board = collect_board([one, other])
    own = entry(board, "mnpo")
    assert own.figures["cross-play/win_rate/against/sft"].seeds == 3
    parts = [
        own.figures[c.key]
        for c in models(board).columns
        if c.metric == "win_rate" and c.key in own.figures
    ]
    assert sorted(part.seeds for part in parts) == [1, 2]
    assert any("differ in pool" in note for note in models(board).notes)


def test_other_recipes_have_rows_of_their_own(runs) -> None:
    board = collect_board(
        [runs.training("a"), runs.training("b", budget={"iterations": 2}, mark="longer")]
    )
    names = [own.name for own in models(board).entries]
    assert "sft" in names
    assert len(names) == 5
    assert all("(toy-" in name for name in names if name != "sft")


def test_the_same_seed_trained_to_another_policy_is_not_pooled(runs) -> None:
    one = runs.training("a")
    other = runs.training("b", mark="elsewhere", value=lambda method, seed: 0.7)
    board = collect_board([one, other])
    assert len(models(board).entries) == 5
    assert any("rows of their own" in note for note in board.notes)


def test_the_order_of_paths_changes_nothing(runs) -> None:
    paths = [
        runs.training(seeds=(0, 1), wins=True),
        runs.evaluation(models=runs.evaluated(seeds=(0, 1))),
        runs.evaluation("ten", models=runs.evaluated(), limit=10, noise=3),
        runs.simulation(),
    ]
    expected = figures(collect_board(paths))
    for order in ((3, 2, 1, 0), (1, 3, 0, 2)):
        assert figures(collect_board([paths[i] for i in order])) == expected


def test_every_figure_stands_in_its_rows(runs) -> None:
    paths = [
        runs.training(seeds=(0, 1, 2), value=lambda m, s: 0.4 + 0.1 * s),
        runs.evaluation(models=runs.evaluated(seeds=(0, 1, 2)), value=lambda m: len(m) * 4.0),
        runs.simulation(),
    ]
    board = collect_board(paths)
    places = {own.key: own.path for own in board.runs}
    checked = 0
    for section in board.sections:
        for row in section.entries:
            for key, figure in row.figures.items():
                (column,) = (own for own in section.columns if own.key == key)
                values = []
                for source in figure.sources:
                    with open(f"{places[source.run]}/{source.file}") as file:
                        line = list(csv.DictReader(file))[source.row - 1]
                    if source.file == "results.csv":
                        assert line["algorithm"] == row.algorithm
                        # A training run says which win rate of two its "win_rate/pool" is.
                        metric = line["metric"].removesuffix("/pool")
                        assert (line["benchmark"], metric) == (column.benchmark, column.metric)
                        values.append(float(line["value"]))
                    elif column.metric == "converged":
                        values.append(100.0 * line["verdict"].startswith("converges (last"))
                    else:
                        values.append(float(line[column.metric]))
                assert figure.interval.value == pytest.approx(np.mean(values), rel=1e-12)
                checked += 1
    assert checked == 23


def test_ranks_use_the_runs_paired_comparisons(runs) -> None:
    """Questions that all models share hide in unpaired intervals what pairs show."""
    shift = {"sft": 40.0, "mnpo-seed-0": 48.0, "inpo-seed-0": 44.0}
    path = runs.evaluation(models=runs.evaluated(), value=shift.__getitem__, prompts=40)
    board = collect_board([path])
    ranks = {own.name: own.figures[MINI].rank for own in models(board).entries}
    assert ranks == {"mnpo": (1, 1), "inpo": (2, 2), "sft": (3, 3)}
    said = json.loads((path / "results.json").read_text())["results"][0]["comparisons"]
    assert all(own["p_value_holm"] < 0.05 for own in said)


def test_conditions_make_columns(runs) -> None:
    several = [
        runs.evaluation("a", models=runs.evaluated()),
        runs.evaluation("b", models=runs.evaluated(), limit=10, noise=1),
        runs.evaluation("c", models=runs.evaluated(), judge_hash="another version", noise=2),
        runs.evaluation("d", models=runs.evaluated(), judge="strict", noise=4),
        runs.evaluation("e", models=runs.evaluated(), benchmark="mini-v2", noise=5),
    ]
    board = collect_board(several)
    section = models(board)
    columns = [own for own in section.columns if own.metric == "win_rate"]
    assert len(columns) == 5
    assert len({own.key for own in columns}) == 5
    keys = sorted(own.key for own in columns)
    assert keys[-2:] == ["mini-v1/win_rate@toy-judge#" + keys[-2][-6:], "mini-v2/win_rate"] or (
        "mini-v2/win_rate" in keys
    )
    assert "mini-v1/win_rate@strict" in keys
    titles = " ".join(own.title for own in columns)
    assert "(limit 10)" in titles
    assert "(judge " in titles
    (note,) = section.notes
    assert "mini-v1 under toy-judge" in note
    assert "judge, limit" in note
    assert all(len(own.figures) == 10 for own in section.entries)


def test_given_answers_stand_beside_generated_ones(runs) -> None:
    generated = runs.evaluation("a", models=runs.evaluated())
    given = runs.evaluation(
        "b", models={"gpt": (Origin("b", "gpt"), "f" * 64)}, noise=1, answers={"max_new_tokens": 5}
    )
    manifest, config = given / "manifest.json", given / "run.yaml"
    text = config.read_text().replace(
        "models:\n- name: gpt", "models:\n- outputs:\n    mini: x.jsonl\n  name: gpt"
    )
    config.write_text(text)
    import yaml

    from mnpo.runs.files import digest

    loaded = json.loads(manifest.read_text()) | {"config_sha256": digest(yaml.safe_load(text))}
    manifest.write_text(json.dumps(loaded))
    board = collect_board([generated, given])
    assert {own.name for own in models(board).entries if MINI in own.figures} == {
        *("gpt", "inpo", "mnpo", "sft"),
    }


def test_a_chain_is_its_training_and_its_evaluation(runs) -> None:
    folder = runs.training("chain")
    inner = runs.evaluation("chain/evaluation", models=runs.evaluated())
    shutil.move(folder, runs.root / "moved")
    board = collect_board([runs.root / "moved"])
    assert inner.name == "evaluation"
    assert [own.key for own in board.runs] == ["moved", "moved/evaluation"]
    assert MINI in entry(board, "mnpo").figures
    assert len(collect_board([runs.root / "moved", runs.root / "moved" / "evaluation"]).runs) == 2


def test_a_chains_training_counts_as_soon_as_it_is_done(runs) -> None:
    folder = runs.training()
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    chain = {"train": {"status": "done"}, "leaderboard": {"status": "running"}}
    file.write_text(json.dumps(manifest | {"status": "running", "chain": chain}))
    board = collect_board([folder])
    assert (len(models(board).entries), board.runs[0].status) == (3, "done")


def test_sorting(runs) -> None:
    train = runs.training(value=lambda method, seed: {"mnpo": 0.7, "inpo": 0.6}[method])
    evaluated = runs.evaluation(models=runs.evaluated(), value=lambda m: 90 - 10 * len(m))
    names = [own.name for own in models(collect_board([train, evaluated])).entries]
    assert names == ["mnpo", "inpo", "sft"]  # who lacks the figure comes last
    options = BoardOptions(sort=MINI)
    assert models(collect_board([train, evaluated], options)).entries[0].name == "sft"
    options = BoardOptions(sort="exploitability")
    section = models(collect_board([train, evaluated], options))
    assert section.sorted_by == "cross-play/exploitability"
    values = [own.figures[section.sorted_by].interval.value for own in section.entries[:2]]
    assert values == sorted(values)
    options = BoardOptions(columns=("mini",))
    assert models(collect_board([train, evaluated], options)).sorted_by == MINI


def test_filters(runs) -> None:
    paths = [runs.training(), runs.evaluation(models=runs.evaluated()), runs.simulation()]
    board = collect_board(paths, BoardOptions(benchmarks=("mini",)))
    assert [own.kind for own in board.sections] == ["models"]
    assert not board.pools
    assert {own.benchmark for own in models(board).columns} == {"mini-v1"}
    board = collect_board(paths, BoardOptions(algorithms=("inpo",)))
    assert {row.algorithm for own in board.sections for row in own.entries} == {"inpo"}
    assert {c.label for p in board.plots for c in p.curves} == {"inpo"}
    board = collect_board(paths, BoardOptions(judges=("toy-judge",)))
    assert {own.judge for own in models(board).columns} == {"", "toy-judge"}


def test_pools(runs) -> None:
    train = runs.training(seeds=(0, 1), wins=True)
    methods, pool = collect_board([train]).pools
    assert (methods.key, methods.names) == ("train/toy-oracle/methods", ("sft", "mnpo", "inpo"))
    assert methods.basis == "seeds and prompts"
    assert methods.wins[1, 2] == pytest.approx(pool.wins[1:3, 3:5].mean())
    assert any("intervals count prompts and training seeds" in note for note in methods.notes)
    assert pool.key == "train/toy-oracle"
    assert any("its own method's other seeds" in note for note in pool.notes)
    assert pool.names == ("sft", "mnpo-seed-0", "mnpo-seed-1", "inpo-seed-0", "inpo-seed-1")
    assert pool.basis == "prompts"
    assert pool.ratings
    assert {own.file for own in pool.sources} == {"crossplay-wins.parquet"}
    board = collect_board([train], BoardOptions(algorithms=("mnpo", "inpo")))
    assert "sft" not in board.pools[0].names
    assert any("1 of its policies are not asked for" in note for note in board.pools[0].notes)
    (pool,) = collect_board([runs.training("single", wins=True)]).pools
    assert pool.key == "single/toy-oracle"


def test_the_start_stands_where_its_win_rate_against_the_pool_is(runs) -> None:
    board = collect_board([runs.training(start=0.9)])
    section = models(board)
    first = next(own for own in section.columns if own.headline)
    assert first.title == "Cross-play on held-out prompts: win rate vs pool"
    assert section.sorted_by == first.key
    assert section.entries[0].name == "sft"
    assert section.entries[0].figures[first.key].rank is not None


def test_a_policys_pool_holds_its_own_other_seeds_and_the_board_says_so(runs) -> None:
    one = collect_board([runs.training("one")])
    assert not any("other seeds" in note for note in models(one).notes)
    several = collect_board([runs.training("several", seeds=(0, 1))])
    assert any("other seeds of its own method" in note for note in models(several).notes)


ORACLE = {"kind": "rule", "rule": "brevity", "options": {"target": 4}}


def test_a_judge_that_is_the_oracle_of_the_training_is_named(runs) -> None:
    train = runs.training(oracle=ORACLE)
    same = runs.evaluation("same", models=runs.evaluated(), judge="toy-oracle", oracle=ORACLE)
    (note,) = collect_board([train, same]).notes
    assert "judged by the oracle that the policies (toy-" in note
    assert "Cross-play on held-out prompts, mini v1 (judge toy-oracle)" in note
    assert "how well a method follows its oracle" in note
    other = runs.evaluation("other", models=runs.evaluated(), oracle={**ORACLE, "scale": 2})
    notes = collect_board([other, runs.training("again", oracle=ORACLE)]).notes
    assert not any("mini v1" in note for note in notes)
    only = collect_board([train, same], BoardOptions(benchmarks=("mini",)))
    assert "held-out prompts" not in only.notes[0]


def test_cross_plays_on_other_questions_are_other_columns(runs) -> None:
    train = runs.training()
    evaluated = runs.evaluation(
        models=runs.evaluated(), benchmark="cross-play", judge="toy-oracle", noise=3
    )
    columns = {own.key: own.title for own in models(collect_board([train, evaluated])).columns}
    assert columns["cross-play/win_rate:held-out"] == (
        "Cross-play on held-out prompts: win rate vs pool"
    )
    assert columns["cross-play/win_rate:mini-v1"] == "Cross-play on mini v1: win rate vs pool"


def test_keys_do_not_depend_on_what_is_asked_for(runs) -> None:
    paths = [
        runs.evaluation("a", models=runs.evaluated()),
        runs.evaluation("b", models=runs.evaluated(), limit=10, noise=1),
        runs.evaluation("d", models=runs.evaluated(), judge="rules(a, b)", noise=4),
    ]
    whole = {own.key: own.title for own in models(collect_board(paths)).columns}
    for options in (
        BoardOptions(judges=("rules(a, b)",)),
        BoardOptions(judges=("toy-judge",)),
        BoardOptions(algorithms=("inpo",)),
    ):
        part = {own.key: own.title for own in models(collect_board(paths, options)).columns}
        assert part.items() <= whole.items()
    assert "mini-v1/win_rate@rules(a, b)" in whole


def test_a_key_may_be_given_by_its_beginning(runs) -> None:
    paths = [
        runs.evaluation("a", models=runs.evaluated()),
        runs.evaluation("b", models=runs.evaluated(), limit=10, noise=1),
        runs.evaluation("d", models=runs.evaluated(), judge="strict", noise=4),
    ]
    board = collect_board(paths, BoardOptions(columns=(MINI,), judges=("strict",)))
    assert board.options["columns"] == [f"{MINI}@strict"]
    assert models(board).sorted_by == f"{MINI}@strict"
    board = collect_board(paths, BoardOptions(columns=(f"{MINI}@toy-judge", "win_rate")))
    first, second, metric = board.options["columns"]
    assert first.startswith(f"{MINI}@toy-judge#")
    assert second.startswith(f"{MINI}@toy-judge#")
    assert metric == "win_rate"
    again = collect_board(paths, BoardOptions(columns=tuple(board.options["columns"])))
    assert again.options == board.options
    board = collect_board(paths, BoardOptions(sort=f"{MINI}@toy-judge"))
    assert models(board).sorted_by.startswith(f"{MINI}@toy-judge#")


def test_the_same_policies_twice(runs) -> None:
    one, other = runs.training("a", seeds=(0, 1)), runs.training("b", seeds=(0, 1))
    (note,) = [own for own in find_notes([one, other]) if "a and b" in own]
    assert "hold the same policies: counted once" in note
    third = runs.training("c", seeds=(1, 2))
    (note,) = [own for own in find_notes([one, third]) if "a and c" in own]
    assert "one recipe with other seeds" in note
    assert "2 policies that are there twice are counted once" in note


def find_notes(paths) -> list[str]:
    from leaderboards.collect.opening import open_run
    from leaderboards.collect.policies import find_policies
    from leaderboards.collect.training_runs import read_training

    found = []
    for path in paths:
        opened = open_run(path)
        found.append(read_training(opened, path.name))
    return find_policies(found).notes


def test_a_simulation_shows_every_setting(runs) -> None:
    board = collect_board([runs.simulation(steps=(0.1, 0.5))])
    (section,) = board.sections
    assert section.kind == "simulator"
    assert {own.name for own in section.entries} == {
        *("inpo step_size=0.1", "inpo step_size=0.5"),
        *("mnpo step_size=0.1", "mnpo step_size=0.5"),
    }
    own = next(own for own in section.entries if own.name == "inpo step_size=0.5")
    gaps = np.array([0.054, 0.064, 0.074])
    assert own.figures["cyclic/gap_last"].interval.value == pytest.approx(gaps.mean())
    expected = mean_interval(gaps)
    assert own.figures["cyclic/gap_last"].interval.high == pytest.approx(expected.high)
    assert own.figures["cyclic/converged"].interval.value == pytest.approx(100 / 3)
    assert own.figures["cyclic/gap_last"].flags == (
        "verdict: undecided 2 of 3, converges (last iterate) 1 of 3",
    )
    last, _ = board.plots
    assert [len(curve.x) <= 200 for curve in last.curves] == [True] * 4
    assert last.curves[0].x[[0, -1]].tolist() == [0, 500]
    assert last.log_y
    assert "range" in last.caption


def test_training_curves_are_thinned_means(runs) -> None:
    board = collect_board([runs.training(seeds=(0, 1))])
    kl, loss = (own for own in board.plots)
    curve = kl.curves[0]
    assert len(curve.x) == 150  # 450 steps in threes
    assert curve.y[0] == pytest.approx(0.02)
    assert loss.curves[0].y[0] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3 + 0.5)
    assert (curve.label, kl.sources[0].file) == ("inpo", "training.csv")
    assert paired_difference(loss.curves[0].high, loss.curves[0].low).value == pytest.approx(1)
