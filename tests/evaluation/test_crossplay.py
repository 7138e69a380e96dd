import csv
import json

import numpy as np
import pytest
from rich.console import Console
from word_game import WordOracle, checkpoint

from evaluation.crossplay import cross_play
from evaluation.pool.wins_file import read_wins
from evaluation.statistics import mean_interval
from evaluation.tidy import COLUMNS, Origin
from mnpo.errors import InvalidSetting, UserError
from mnpo.training.online.sampling import SamplingTask, sample_groups
from mnpo.training.seeds import seed_for

PURE = {"rock": (1, 0, 0), "paper": (0, 1, 0), "scissors": (0, 0, 1)}
MIXED = {"start": (0.5, 0.3, 0.2), "a": (0.1, 0.8, 0.1), "b": (0.2, 0.2, 0.6), "c": (0.3, 0.3, 0.4)}


def pool(names):
    return {name: checkpoint(name) for name in names}


def texts_of(bench, name, responses, seed):
    groups = sample_groups(
        bench.stages,
        SamplingTask(
            bench.held_out,
            ((((checkpoint(name), 1.0),), 1.0),),
            responses,
            seed_for(seed, "cross-play", f"sha-{name}"),
        ),
        backend=bench.backend,
        settings=bench.recipe.sampling,
        contract=bench.contract,
        tokenizer=bench.tokenizer,
    ).groups
    return [[r.text for r in group.responses] for group in groups]


def test_rock_paper_scissors(make_bench):
    bench = make_bench(PURE, "rock")
    found = cross_play(bench, pool(PURE))
    assert found.start == "rock"
    assert found.wins.names == ("rock", "paper", "scissors")
    assert found.wins.mean.tolist() == [[0.5, 0, 1], [1, 0.5, 0], [0, 1, 0.5]]
    assert found.game.cyclic_share == pytest.approx(1)
    assert found.game.nash == pytest.approx([1 / 3] * 3)
    rock, paper, scissors = found.summaries
    assert rock.against_start is None
    assert (paper.against_start.value, scissors.against_start.value) == (1, 0)
    # Six prompts, all won: (0.025)^(1/6).
    assert paper.against_start.low == pytest.approx(0.025 ** (1 / 6))
    assert (paper.worst_opponent, paper.against_worst.value) == ("scissors", 0)
    assert paper.exploitability == pytest.approx(0.5)
    assert paper.against_pool.value == 0.5
    assert (paper.responses, paper.distinct, paper.tokens.value) == (6, 1, 2)
    assert found.queries == 6 * 3


def test_against_loops(make_bench):
    bench = make_bench(MIXED, "start", prompts=11, oracle=WordOracle(strength=0.4, spread=0.1))
    found = cross_play(bench, pool("abc"), responses=3, seed=5)
    assert found.wins.names == ("start", "a", "b", "c")
    texts = {name: texts_of(bench, name, 3, 5) for name in MIXED}
    for row in MIXED:
        for column in MIXED:
            if row == column:
                continue
            means = []
            for c, prepared in enumerate(bench.held_out):
                total = 0.0
                for first in texts[row][c]:
                    for second in texts[column][c]:
                        total += bench.oracle.probability(prepared.prompt, first, second)
                means.append(total / 9)
            wanted = mean_interval(means, bounds=(0, 1))
            interval = found.wins.pair(row, column)
            assert interval.value == pytest.approx(wanted.value, abs=1e-14)
            assert (interval.low, interval.high) == (
                pytest.approx(wanted.low),
                pytest.approx(wanted.high),
            )
    assert found.queries == 11 * 12 * 11 // 2
    for summary in found.summaries:
        flat = [text for own in texts[summary.name] for text in own]
        assert (summary.responses, summary.distinct) == (33, len(set(flat)))


def test_the_order_of_the_policies_changes_nothing(make_bench):
    bench = make_bench(MIXED, "start")
    first = cross_play(bench, pool(["a", "b", "c", "start"]), responses=2)
    asked = len(bench.oracle.asked)
    second = cross_play(bench, pool(["start", "c", "b", "a"]), responses=2)
    assert len(bench.oracle.asked) == asked  # the stored answers
    order = [second.wins.names.index(name) for name in first.wins.names]
    assert np.array_equal(first.wins.wins, second.wins.wins[:, order][:, :, order])
    others = {summary.name: summary for summary in second.summaries}
    for one in first.summaries:
        other = others[one.name]
        for field in ("against_start", "against_worst", "worst_opponent", "tokens", "distinct"):
            assert getattr(one, field) == getattr(other, field), field
        for field in ("nash", "nash_win_rate", "exploitability"):
            assert getattr(one, field) == pytest.approx(getattr(other, field), abs=1e-12), field
        assert one.against_pool.low == pytest.approx(other.against_pool.low, abs=1e-12)
    assert first.game.cyclic_share == pytest.approx(second.game.cyclic_share, abs=1e-12)


def test_finished_work_is_taken_over_and_new_policies_added(make_bench):
    bench = make_bench(MIXED, "start")
    cross_play(bench, pool("a"))
    assert sorted(bench.backend.opened) == ["sha-a", "sha-start"]
    cross_play(bench, pool("ab"))
    assert sorted(bench.backend.opened) == ["sha-a", "sha-b", "sha-start"]


def test_policies_draw_independently_and_seeds_differ(make_bench):
    same = {"start": (1 / 3, 1 / 3, 1 / 3), "a": (1 / 3, 1 / 3, 1 / 3)}
    bench = make_bench(same, "start", prompts=40)
    assert texts_of(bench, "start", 1, 0) != texts_of(bench, "a", 1, 0)
    first, second = cross_play(bench, pool("a")), cross_play(bench, pool("a"), seed=1)
    assert first.wins.pair("a", "start") != second.wins.pair("a", "start")


def test_a_policy_under_two_names_ties_and_is_sampled_once(make_bench):
    bench = make_bench(MIXED, "start")
    found = cross_play(bench, {"a": checkpoint("a"), "again": checkpoint("a")}, responses=2)
    assert found.wins.pair("a", "again").value == 0.5
    assert found.wins.pair("a", "start") == found.wins.pair("again", "start")
    assert sorted(bench.backend.opened) == ["sha-a", "sha-start"]


def test_against_the_start_only(make_bench):
    bench = make_bench(MIXED, "start", oracle=WordOracle(strength=0.3, spread=0.1))
    found = cross_play(bench, pool("abc"), responses=2, against="start", seed=3)
    assert found.game is None
    assert found.queries == 3 * 2 * 6
    assert {len(question.responses) for question in bench.oracle.asked} == {2}
    texts = {name: texts_of(bench, name, 2, 3) for name in MIXED}
    for name in "abc":
        means = [
            np.mean(
                [
                    bench.oracle.probability(
                        prepared.prompt, texts[name][c][r], texts["start"][c][r]
                    )
                    for r in range(2)
                ]
            )
            for c, prepared in enumerate(bench.held_out)
        ]
        assert found.wins.pair(name, "start").value == pytest.approx(np.mean(means))
    with pytest.raises(InvalidSetting, match="not measured"):
        found.wins.pair("a", "b")
    summary = found.summaries[1]
    assert (summary.name, summary.against_pool, summary.nash) == ("a", None, None)


def test_a_population_of_annotators(make_bench):
    annotators = (WordOracle("mild", 0.1), WordOracle("against", -0.3))
    bench = make_bench(PURE, "rock", oracle=WordOracle("both", -0.1), annotators=annotators)
    found = cross_play(bench, pool(PURE))
    assert (found.judge, list(found.judges)) == ("both", ["both", "mild", "against"])
    paper = found.summaries[1]
    assert paper.against_start.value == pytest.approx(0.4)
    assert {k: v.value for k, v in paper.annotators.items()} == pytest.approx(
        {"mild": 0.6, "against": 0.2}
    )
    assert paper.worst_annotator == "against"
    assert paper.mean_annotator.value == pytest.approx(0.4)
    assert found.summaries[0].annotators == {}
    given = cross_play(bench, pool(PURE), oracles={"x": annotators[1], "y": annotators[0]})
    assert (given.judge, list(given.summaries[1].annotators)) == ("x", ["x", "y"])
    single = cross_play(bench, pool(PURE), oracles={"x": annotators[1]})
    assert single.summaries[1].annotators == {}


def test_an_annotator_called_like_another_oracle(make_bench):
    bench = make_bench(
        PURE, "rock", oracle=WordOracle("words", 0.2), annotators=(WordOracle("words", 0.4),)
    )
    found = cross_play(bench, pool(PURE))
    assert list(found.judges) == ["words (oracle)", "words"]
    assert found.summaries[1].against_start.value == pytest.approx(0.7)
    assert found.summaries[1].annotators["words"].value == pytest.approx(0.9)


def test_cut_responses_are_counted(make_bench):
    found = cross_play(make_bench(PURE, "rock", cut={"sha-paper"}), pool(PURE))
    rock, paper, _ = found.summaries
    assert (rock.unfinished.value, paper.unfinished.value) == (0, 1)
    assert (rock.tokens.value, paper.tokens.value) == (2, 1)


def test_files(make_bench, tmp_path):
    bench = make_bench(PURE, "rock", annotators=(WordOracle("mild", 0.1), WordOracle("no", -0.3)))
    policies = {"rock": checkpoint("rock"), "[red]a|b": checkpoint("paper")}
    found = cross_play(bench, policies)
    origins = {"[red]a|b": Origin("run-1", "inpo", 3, 0)}
    files = found.write(tmp_path, origins)
    assert [f.name for f in files] == [
        *("crossplay.csv", "crossplay.md", "crossplay-wins.parquet", "crossplay-results.csv"),
    ]
    pairs = list(csv.DictReader(files[0].open()))
    assert len(pairs) == 3 * 2
    first = pairs[0]
    assert (first["policy"], first["opponent"], first["value"]) == ("rock", "[red]a|b", "0.0")
    assert float(first["high"]) == found.wins.pair("rock", "[red]a|b").high
    kept = read_wins(files[2].read_bytes())
    assert list(kept) == list(found.judges)
    for judge, own in kept.items():
        assert own.prompts == tuple(prompt.key for prompt in bench.held_out)
        assert own.wins.names == found.judges[judge].names
        np.testing.assert_array_equal(own.wins.wins, found.judges[judge].wins)
    rows = list(csv.DictReader(files[3].open()))
    assert tuple(rows[0]) == COLUMNS
    own = {row["metric"]: row for row in rows if row["algorithm"] == "inpo"}
    against = own["win_rate/worst_annotator"]
    assert (float(against["value"]), against["judge"]) == (pytest.approx(0.2), "no")
    assert (against["run"], against["iteration"], against["seed"]) == ("run-1", "3", "0")
    hashes = json.loads(own["win_rate/against/rock"]["hashes"])
    assert hashes.keys() >= {"policy", "prompts"}
    assert hashes["policy"] == "sha-paper"
    assert {row["metric"] for row in rows if row["algorithm"] == "(pool)"} == {"cyclic_share"}
    text = files[1].read_text()
    assert "[red]a\\|b" in text
    grid = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    # A header, a rule and two policies in both tables, every row as wide as its header.
    assert [line.count("|") for line in grid] == [grid[0].count("|")] * 4 + [4] * 4
    console = Console(width=200, record=True)
    console.print(found.table())
    printed = console.export_text()
    assert "[red]a|b" in printed
    assert "1.000 [0.54, 1.00]" in printed


def test_every_number_stands_once_in_the_long_table(make_bench, tmp_path):
    judges = {"x": WordOracle("x", 0.1), "y": WordOracle("y", 0.2)}
    found = cross_play(make_bench(PURE, "rock"), pool(PURE), oracles=judges)
    *_, file = found.write(tmp_path)
    rows = [(r["algorithm"], r["metric"], r["judge"]) for r in csv.DictReader(file.open())]
    assert len(rows) == len(set(rows))
    assert ("paper", "win_rate/against/rock", "y") in rows


def test_refusals(make_bench):
    bench = make_bench(MIXED, "start")
    with pytest.raises(InvalidSetting, match="beside the start"):
        cross_play(bench, pool(["start"]))
    with pytest.raises(InvalidSetting, match="another name"):
        cross_play(bench, {"start": checkpoint("a")})
    with pytest.raises(InvalidSetting, match="judge"):
        cross_play(bench, pool("a"), oracles={})
    with pytest.raises(InvalidSetting, match="responses"):
        cross_play(bench, pool("a"), responses=0)


def test_a_policy_that_says_nothing_at_all(make_bench):
    bench = make_bench(MIXED, "start")
    backend = bench.backend
    whole = backend.sampler

    def silent(sha256):
        sampler = whole(sha256)
        if sha256 == "sha-a":
            from mnpo.training.generation.base import Completion

            sampler.draw = lambda prompts, counts, *, seed: [
                [Completion((), False)] * count for count in counts
            ]
        return sampler

    backend.sampler = silent
    with pytest.raises(UserError, match="no prompt that both"):
        cross_play(bench, pool("ab"))
