import json
from dataclasses import replace

import pytest
from alpaca_eval.metrics import get_winrate

from evaluation.alpaca_eval.benchmark import open_benchmark
from evaluation.alpaca_eval.files import score_files
from evaluation.records import Answer, ModelAnswers
from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.calls import Outcome


@pytest.fixture
def bench(world):
    return open_benchmark(world.files())


def judge_of(world, likes, failing=()):
    """A judge that gives the model's answer ``likes`` (model, k), whatever the order."""

    def verdicts(call):
        k, _, model = call.item.partition("/")
        if call.item in failing:
            return Outcome(None, "3 replies broke the contract", "eh?")
        wanted = likes(model, int(k))
        shown = 3 - wanted if call.order == "AB" else wanted
        return Outcome({"preference": shown, "read": "logprobs"}, reply="M")

    return verdicts


def test_questions_and_calls(world, bench):
    questions = bench.questions()
    assert [q.id for q in questions] == [str(k) for k in range(world.size)]
    assert questions[25].turns == (world.instruction(25),)
    assert questions[25].category == "part-1"
    answers = world.answers("mini")
    calls = list(bench.calls(answers))
    assert len(calls) == world.size
    assert calls == list(bench.calls(answers))
    assert {call.order for call in calls} == {"AB", "BA"}
    for k, call in enumerate(calls):
        text = call.messages[-1].content
        first, second = call.comparison.first, call.comparison.second
        assert {first, second} == {world.baseline(k), world.output("mini", k)}
        assert (first == world.output("mini", k)) == (call.order == "AB")
        assert text.index(world.instruction(k)) < text.index(first) < text.index(second)
    other = list(bench.calls(world.answers("another")))
    assert [call.order for call in other] == [call.order for call in calls]


def test_preferences_are_turned_back(world, bench):
    found = bench.score(
        [world.answers("mini")], judge_of(world, world.preference), judge="fake"
    ).models[0]
    wanted = [world.preference("mini", k) - 1 for k in range(world.size)]
    assert found.metrics["win_rate"].value == pytest.approx(100 * sum(wanted) / len(wanted))
    assert (found.n, found.missing, found.headline) == (60, 0, "length_controlled_win_rate")


def test_equal_answers_are_a_draw_without_asking(world, bench):
    answers = world.answers("mini")
    answers = ModelAnswers(
        "mini", {**answers.answers, "4": Answer((world.baseline(4),))}, answers.hashes
    )
    assert all(call.item != "4/mini" for call in bench.calls(answers))
    found = bench.score([answers], judge_of(world, lambda *_: 2.0), judge="fake").models[0]
    assert found.details["draws"] == 1
    assert found.metrics["win_rate"].value == pytest.approx(100 * 59.5 / 60)


def test_both_orders_are_averaged_and_both_needed(world):
    bench = open_benchmark(world.files(), orders="both")
    answers = world.answers("mini")
    assert len(list(bench.calls(answers))) == 2 * world.size

    def biased(call):
        return Outcome({"preference": 1.25, "read": "logprobs"})  # always likes what is first

    found = bench.score([answers], biased, judge="fake").models[0]
    assert found.metrics["win_rate"].value == pytest.approx(50.0)
    assert found.details["draws"] == world.size

    def half(call):
        gone = call.item == "9/mini" and call.order == "AB"
        return Outcome(None, "timeout") if gone else biased(call)

    with pytest.raises(UserError, match=r"instruction 9 \(no preference, or NaN\)"):
        bench.score([answers], half, judge="fake")
    with pytest.raises(InvalidSetting, match="orders"):
        open_benchmark(world.files(), orders="twice")


def test_missing_is_missing(world, bench):
    few = world.answers("mini", only=range(1, world.size))
    verdicts = judge_of(world, lambda *_: 2.0, failing={"7/mini"})
    with pytest.raises(UserError, match=r"2 of 60 .*: instruction 0 \(no row\), inst") as caught:
        bench.score([few], verdicts, judge="fake")
    assert "--allow-missing" in str(caught.value)
    scores = bench.score([few], verdicts, judge="fake", allow_missing=True)
    (found,) = scores.models
    assert (found.n, found.missing) == (58, 2)
    assert found.metrics["win_rate"].value == 100.0
    # The figure is by each answer's own instruction; only the official code goes by position.
    assert "length_controlled_win_rate/true_index" not in found.metrics
    assert found.headline == "length_controlled_win_rate"
    assert found.official["length_controlled_win_rate"].value != found.score.value
    assert any("by a row's position" in flag for flag in found.flags)
    assert "1 preferences missing: 3 replies broke the contract" in scores.notes


def test_discrete_verdicts_are_marked(world, bench):
    def talker(call):
        return Outcome({"preference": 2.0, "read": "text"}, reply="M")

    found = bench.score([world.answers("mini")], talker, judge="fake").models[0]
    assert any("60 preferences are discrete" in flag for flag in found.flags)


def test_the_same_answer_to_everything_is_flagged(world, bench):
    null = ModelAnswers("null", {str(k): Answer(("I win.",)) for k in range(world.size)})
    found = bench.score([null], judge_of(world, lambda *_: 2.0), judge="fake").models[0]
    assert any("the same to different questions" in flag for flag in found.flags)


def test_the_official_package_reads_the_artefacts(world, bench, tmp_path):
    answers = [world.answers("mini"), world.answers("maxi/../x")]
    verdicts = judge_of(world, world.preference)
    written = {}
    for path, text in bench.artefacts(answers, verdicts, judge="org/judge"):
        assert not path.is_absolute()
        assert ".." not in path.parts
        target = tmp_path / "out" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        written[path.name, path.parts[0]] = target
    assert len(written) == 4
    annotations = written["annotations.json", "mini"]
    scores = bench.score(answers, verdicts, judge="org/judge")
    official = get_winrate(json.loads(annotations.read_text()))
    mini = scores.models[0]
    assert mini.metrics["win_rate"].value == pytest.approx(official["win_rate"], abs=1e-12)
    assert mini.official["discrete_win_rate"].value == pytest.approx(
        official["discrete_win_rate"], abs=1e-12
    )
    assert mini.details["official_standard_error"]["win_rate"] == pytest.approx(
        official["standard_error"], abs=1e-12
    )
    assert mini.details["draws"] == official["n_draws"]
    stored = score_files(
        [annotations], [written["model_outputs.json", "mini"]], world.reference, glm=world.glm
    )
    for name, interval in mini.metrics.items():
        assert stored.models[0].metrics[name] == interval


def test_a_limit_is_said(world):
    bench = open_benchmark(world.files(), limit=20)
    assert len(bench.questions()) == 20
    scores = bench.score([world.answers("mini")], judge_of(world, world.preference), judge="fake")
    assert (scores.models[0].n, scores.models[0].missing) == (20, 0)
    assert "length_controlled_win_rate/true_index" not in scores.models[0].metrics
    official = scores.models[0].official["length_controlled_win_rate"]
    assert official.value != scores.models[0].score.value
    assert "row's position" in official.rule
    assert any("20 of 60 instructions: not comparable" in note for note in scores.notes)


def test_the_baseline_is_no_model(world, bench):
    with pytest.raises(UserError, match="is the baseline"):
        list(bench.calls(replace(world.answers("mini"), model="gpt4_1106_preview")))


def test_hashes_name_all_that_matters(world, bench):
    assert set(bench.hashes()) == {
        "reference",
        "df_gamed",
        "template weighted_alpaca_eval_gpt4_turbo",
    }
