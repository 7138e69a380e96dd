import json

import pytest

from evaluation.arena_hard.benchmark import open_benchmark
from evaluation.arena_hard.files import score_files
from evaluation.data.files import BenchmarkFiles
from evaluation.records import Answer, ModelAnswers
from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.calls import Outcome

LABELS = ["A>>B", "A>B", "A=B", "B>A", "B>>A"]


def answers(model="soup", count=6, skip=()):
    texts = {f"q{i}": Answer((f"**{model}** says {{ANSWER_A}} {i}",)) for i in range(count)}
    return ModelAnswers(model, {key: own for key, own in texts.items() if key not in skip})


def verdicts(call):
    """A stand-in judge: its label follows from the call alone."""
    label = LABELS[sum(map(ord, call.item)) % 5]
    return Outcome(label, "", f"I say [[{label}]]")


def save(benchmark, given, judge, folder, look=verdicts):
    for path, text in benchmark.artefacts(given, look, judge=judge):
        target = folder / path
        assert folder.resolve() in target.resolve().parents
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return sorted((folder / "model_judgment").rglob("*.jsonl"))


@pytest.mark.parametrize("current", [False, True])
def test_calls_show_both_orders_and_leave_texts_alone(files, current) -> None:
    benchmark = open_benchmark(files(current=current))
    first, second = list(benchmark.calls(answers()))[:2]
    assert [m.role for m in first.messages] == ["system", "user"]
    assert first.messages[0].content == "You compare two cooks. Close with one label."
    model = "**soup** says {ANSWER_A} 0"
    assert f"second: {model} // {{end}}" in first.messages[1].content
    assert f"first: {model} // second: " in second.messages[1].content
    assert (first.order, second.order) == ("BA", "AB")
    assert first.comparison.second == second.comparison.first == model
    assert first.parameters == {"temperature": 0.0, "max_tokens": 64}
    assert first.template == second.template
    assert [c.item for c in (first, second)] == ["q0/soup/game-1", "q0/soup/game-2"]
    assert list(benchmark.calls(answers())) == list(benchmark.calls(answers()))
    assert len(list(benchmark.calls(answers(skip=["q1"])))) == 10


def test_questions_and_hashes(files) -> None:
    benchmark = open_benchmark(files(current=False), limit=4)
    assert [q.id for q in benchmark.questions()] == ["q0", "q1", "q3", "q4"]  # of six
    assert benchmark.questions()[0].turns == ("Cook q0?",)
    assert {"questions", "baseline_answers", "config"} <= benchmark.hashes().keys()
    assert benchmark.name == "arena-hard-v0.1"


@pytest.mark.parametrize("current", [False, True])
def test_artefacts_read_back_to_the_same_scores(files, tmp_path, current) -> None:
    own = files(current=current)
    benchmark = open_benchmark(own)
    given = [answers(), answers("org/stew")]
    scores = benchmark.score(given, verdicts, judge="cook-1")
    folder = tmp_path / "run"
    judgments = save(benchmark, given, "cook-1", folder)
    again = score_files("v0.1", judgments=judgments, questions=own["questions"])
    assert again.judge == "cook-1"
    order = sorted(scores.models, key=lambda m: m.model)
    for one, two in zip(order, sorted(again.models, key=lambda m: m.model), strict=True):
        assert one.model == two.model
        for name in ("score", "win_rate", "unweighted_win_rate"):
            assert one.metrics[name] == two.metrics[name]
        assert one.details["verdicts"] == two.details["verdicts"]
    fresh = score_files(
        "v0.1", judgments=judgments, questions=own["questions"], config=own["config"]
    )
    assert [m.score for m in fresh.models] == [m.score for m in again.models]
    assert any("0 of 24 differ" in note for note in fresh.notes)


@pytest.mark.parametrize("current", [False, True])
def test_artefacts_have_the_official_form(files, tmp_path, current) -> None:
    benchmark = open_benchmark(files(current=current))
    written = dict(benchmark.artefacts([answers()], verdicts, judge="cook-1"))
    answer, judgment = (json.loads(text.splitlines()[0]) for text in written.values())
    if current:
        assert {"uid", "ans_id", "model", "messages", "metadata"} <= answer.keys()
        assert list(answer["metadata"]) == ["token_len", "header_count", "list_count", "bold_count"]
        assert judgment.keys() == {"uid", "category", "judge", "model", "baseline", "games"}
        assert judgment["games"][0].keys() == {"score", "judgment", "prompt"}
    else:
        assert {"question_id", "answer_id", "model_id", "choices", "conv_metadata"} <= answer.keys()
        assert judgment.keys() == {"question_id", "model", "judge", "games"}
        assert judgment["games"][0].keys() == {"user_prompt", "judgment", "score"}


def test_missing_answers_and_verdicts_are_counted_never_filled_in(files, tmp_path) -> None:
    def failing(call):
        if call.item.startswith(("q2/", "q3/soup/game-1")):
            return Outcome(None, "it is empty", "")
        return verdicts(call)

    own = files(current=False)
    benchmark = open_benchmark(own)
    given = [answers(skip=["q0"])]
    with pytest.raises(
        UserError, match=r"soup: 3 of 6 .* missing: 2 \(no verdict\), 1 \(in one order only\)"
    ):
        benchmark.score(given, failing, judge="j")
    scores = benchmark.score(given, failing, judge="j", allow_missing=True)
    (found,) = scores.models
    assert (found.n, found.missing) == (4, 2)
    assert "verdicts missing: 3 (it is empty)" in scores.notes
    assert "verdicts missing: 2 (the model has no answer)" in scores.notes
    judgments = save(benchmark, given, "j", tmp_path / "run", failing)
    again = score_files(
        "v0.1", judgments=judgments, questions=own["questions"], allow_missing=True
    ).models[0]
    assert (again.score, again.n, again.missing) == (found.score, 4, 2)


def test_the_baseline_cannot_be_judged_against_itself(files) -> None:
    benchmark = open_benchmark(files(current=False))
    with pytest.raises(UserError, match="gpt-4-0314 is the baseline"):
        list(benchmark.calls(answers("gpt-4-0314")))


def test_without_system_prompts_it_says_which_file_to_bring(files) -> None:
    with pytest.raises(UserError, match=r"no system prompt for arena-hard-v0.1.*judge_utils.py"):
        open_benchmark(files(current=True, prompts=False))


def test_prompts_of_another_category_do_not_do(files) -> None:
    own = files(current=True)
    own["judge_prompts"].write_text(
        "JUDGE_SETTINGS = {'a': {'baseline': 'b', 'system_prompt': 'c'}}"
    )
    with pytest.raises(UserError, match=r"has no system prompt for arena-hard-v0\.1"):
        open_benchmark(own)


def test_baseline_answers_must_be_whole_and_the_baseline_s(files) -> None:
    own = files(current=False)
    lines = own["baseline_answers"].read_text().splitlines(keepends=True)
    own["baseline_answers"].write_text("".join(lines[1:]))
    with pytest.raises(UserError, match=r"gpt-4-0314 has no answer to 1 of 6 questions.*q0"):
        open_benchmark(own)
    own["baseline_answers"].write_text("".join(lines).replace("gpt-4-0314", "somebody"))
    with pytest.raises(UserError, match="found answers of somebody"):
        open_benchmark(own)


def test_options_and_files_are_checked(files) -> None:
    own = files(current=False)
    with pytest.raises(InvalidSetting, match="limit must be at least 1"):
        open_benchmark(own, limit=0)
    with pytest.raises(UserError, match=r"is for arena-hard-v0\.1, not for arena-hard-v2\.0"):
        open_benchmark(own, version="v2.0")
    less = BenchmarkFiles("arena-hard-v0.1", {k: v for k, v in own.paths.items() if k != "config"})
    with pytest.raises(UserError, match="config file is not on this machine"):
        open_benchmark(less)


@pytest.mark.shared_data
def test_the_real_files_open(shared_data) -> None:
    folder = shared_data / "data/arena_hard/v0.1"
    paths = {
        "questions": folder / "question_2024.jsonl.gz",
        "baseline_answers": folder / "answers/gpt-4-0314.jsonl.gz",
        "config": folder / "judge_config.json",
    }
    benchmark = open_benchmark(BenchmarkFiles("arena-hard-v0.1", paths), limit=20)
    given = ModelAnswers("m", {q.id: Answer(("Fine.",)) for q in benchmark.questions()})
    calls = list(benchmark.calls(given))
    assert len(calls) == 40
    assert calls[0].parameters == {"temperature": 0.0, "max_tokens": 4096}
    v20 = shared_data / "data/arena_hard/v2.0"
    newer = BenchmarkFiles(
        "arena-hard-v2.0",
        {
            "questions": v20 / "question.jsonl.gz",
            "baseline_answers": v20 / "answers_o3-mini-2025-01-31.jsonl.gz",
            "config": v20 / "config.json",
        },
    )
    with pytest.raises(UserError, match="no system prompt for hard_prompt"):
        open_benchmark(newer, version="v2.0")


@pytest.mark.shared_data
def test_v20_with_prompts_asks_about_what_has_a_baseline(
    shared_data, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("evaluation.arena_hard.style_control.REPLICATES", 20)
    v20 = shared_data / "data/arena_hard/v2.0"
    prompts = tmp_path / "judge_utils.py"
    prompts.write_text(
        "P = 'Compare.'\nJUDGE_SETTINGS = {"
        "'hard_prompt': {'baseline': 'o3-mini-2025-01-31', 'system_prompt': P}}\n"
    )
    files = BenchmarkFiles(
        "arena-hard-v2.0",
        {
            "questions": v20 / "question.jsonl.gz",
            "baseline_answers": v20 / "answers_o3-mini-2025-01-31.jsonl.gz",
            "config": v20 / "config.json",
            "judge_prompts": prompts,
        },
    )
    benchmark = open_benchmark(files, version="v2.0")
    assert {q.category for q in benchmark.questions()} == {"hard_prompt"}
    given = ModelAnswers("m", {q.id: Answer((f"Fine, {q.id}.",)) for q in benchmark.questions()})
    scores = benchmark.score([given], verdicts, judge="j")
    assert any("creative_writing was not asked" in note for note in scores.notes)
    assert {"score", "score/hard_prompt", "score/hard_prompt/math"} <= scores.models[
        0
    ].metrics.keys()
    judgments = save(benchmark, [given], "j", tmp_path / "run")
    assert judgments[0].relative_to(tmp_path / "run").parts == ("model_judgment", "j", "m.jsonl")
