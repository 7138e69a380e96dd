import pytest
from harness_data import write_lines

from evaluation.harness.definitions import units
from evaluation.harness.documents import load_documents
from evaluation.harness.planning import HarnessSettings, plan
from evaluation.harness.suite import PAPER, TASKS, chosen
from mnpo.errors import InvalidSetting, UserError


def test_the_paper_suite_has_the_eleven_benchmarks():
    assert [task.title for task in chosen(["paper"])] == [TASKS[name].title for name in PAPER]
    assert len(PAPER) == 11


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["gsm9k"], "did you mean 'gsm8k'"),
        (["gsm8k", "gsm8k"], "named twice"),
        (["paper", "mmlu"], "named twice"),
        ([], "no lm-eval task"),
    ],
)
def test_wrong_names(names, message):
    with pytest.raises(InvalidSetting, match=message):
        chosen(names)


def test_without_files_or_consent_a_task_is_not_run_and_says_why(data_dir):
    planned = {own.task.name: own for own in plan(chosen(["paper"]), HarnessSettings(data_dir))}
    assert "allow-code" in planned["humaneval"].not_run
    assert "gated" in planned["gpqa"].not_run
    assert "not available" in planned["aime24"].not_run
    assert planned["winogrande"].not_run == ""


def test_every_deviation_is_labelled(data_dir):
    settings = HarnessSettings(data_dir, limit=2, max_gen_toks=8)
    planned = {own.task.name: own for own in plan(chosen(["gsm8k", "mmlu"]), settings)}
    assert planned["gsm8k"].labels == (
        "subset: 2 of 1319",
        "0-shot instead of 5-shot: the data folder has no examples",
        "answers of at most 8 tokens instead of 256",
    )
    assert planned["mmlu"].labels == ("subset: 3 of 14042",)
    assert [unit.shots for unit in planned["mmlu"].units] == [5, 5]
    assert planned["gsm8k"].describe()["documents"] == 2


def test_too_few_examples_are_refused_not_filled_up(data_dir, tmp_path):
    with pytest.raises(InvalidSetting, match="3 examples are wanted and there are 0"):
        plan(chosen(["gsm8k"]), HarnessSettings(data_dir, num_fewshot=3))
    write_lines(tmp_path / "gsm8k/test.jsonl", [{"question": "q", "answer": "#### 1"}])
    write_lines(tmp_path / "gsm8k/train.jsonl", [{"question": "r", "answer": "#### 2"}])
    with pytest.raises(InvalidSetting, match="5 examples are wanted and there are 1"):
        plan(chosen(["gsm8k"]), HarnessSettings(tmp_path))
    (own,) = plan(chosen(["gsm8k"]), HarnessSettings(tmp_path, num_fewshot=1))
    assert own.units[0].shots == 1


def test_more_documents_than_the_benchmark_has(tmp_path):
    row = {"Problem": "p", "Answer": 1}
    write_lines(tmp_path / "aime24/test.jsonl", [row] * 31)
    with pytest.raises(UserError, match="31 documents, and AIME-24 has 30"):
        load_documents(TASKS["aime24"], tmp_path)


def test_hashes_follow_data_and_definition(data_dir, tmp_path):
    first, second = (plan(chosen(["gsm8k"]), HarnessSettings(data_dir))[0] for _ in range(2))
    assert first.hashes == second.hashes
    shorter = plan(chosen(["gsm8k"]), HarnessSettings(data_dir, max_gen_toks=9))[0]
    assert shorter.hashes["task"] != first.hashes["task"]
    assert shorter.hashes["data"] == first.hashes["data"]
    write_lines(tmp_path / "gsm8k/test.jsonl", [{"question": "q", "answer": "#### 1"}])
    other = plan(chosen(["gsm8k"]), HarnessSettings(tmp_path))[0]
    assert other.hashes["data"] != first.hashes["data"]


def test_gpqa_choices_keep_their_order(tmp_path):
    """lm-eval's definition shuffles whenever it is asked: documents must not change in a run."""
    wrong = {f"Incorrect Answer {i}": f"wrong {i}" for i in (1, 2, 3)}
    rows = [{"Question": f"q{i}", "Correct Answer": "right", **wrong} for i in range(5)]
    write_lines(tmp_path / "gpqa/gpqa_diamond.jsonl", rows)
    documents = load_documents(TASKS["gpqa"], tmp_path)
    made = [_task(TASKS["gpqa"], documents) for _ in range(2)]
    lists = [[dict(own) for own in task.eval_docs] for task in (*made, made[0])]
    assert lists[0] == lists[1] == lists[2]
    assert len({own["answer"] for own in lists[0]}) > 1


def _task(task, documents):
    from lm_eval.tasks import TaskManager

    (unit,) = units(task, documents)
    return TaskManager(include_defaults=False).load([unit.config])["tasks"][unit.name]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("arc", "arc_challenge/test_rc_5shot_requests_first400.jsonl.gz"),
        ("hellaswag", "hellaswag/rc_5shot_requests_first400.jsonl.gz"),
    ],
)
def test_requests_equal_another_harness(shared_data, name, file):
    """The last block of its 5-shot contexts and its continuations, for every request."""
    from evaluation.rows import read_rows

    folder = shared_data / "data/lm_eval"
    task = _task(TASKS[name], load_documents(TASKS[name], folder))
    theirs = [own.values for own in read_rows(folder / file)]
    documents = max(own["doc_id"] for own in theirs)  # the last one may be cut off
    task.set_config("num_fewshot", 0)
    task.build_all_requests(limit=documents)
    mine = [(own.doc_id, own.args) for own in task.instances]
    expected = [
        (
            own["doc_id"],
            (own["request"]["context"].split("\n\n")[-1], own["request"]["continuation"]),
        )
        for own in theirs
        if own["doc_id"] < documents
    ]
    assert mine == expected


@pytest.mark.shared_data
def test_the_reference_files_have_the_sizes_of_the_paper(shared_data):
    settings = HarnessSettings(shared_data / "data/lm_eval", allow_code=True)
    planned = {own.task.name: own for own in plan(chosen(["paper"]), settings)}
    assert planned["minerva-math"].documents == 272
    assert planned["gsm8k"].documents == 1319
    assert planned["humaneval"].documents == 164
    assert planned["aime24"].documents == 30
    assert planned["ifeval"].documents + planned["ifeval"].unscorable == 541
    assert "subset: 1000 of 10042" in planned["hellaswag"].labels
    assert "subset: 1140 of 14042" in planned["mmlu"].labels
    assert planned["gpqa"].not_run
