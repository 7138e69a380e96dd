"""A small bench of our own: questions, templates, references and judgements, all invented here."""

import json

import pytest

from evaluation.data.files import BenchmarkFiles
from evaluation.mt_bench.benchmark import open_benchmark
from evaluation.mt_bench.questions import QuestionSet
from evaluation.records import Answer, ModelAnswers
from evaluation.rows import Row
from mnpo.judging.calls import Outcome, Reply

QUESTIONS = [
    {"question_id": 1, "category": "writing", "turns": ["Name a {colour}.", "Another one."]},
    {"question_id": 2, "category": "math", "turns": ["What is 2 + 2?", "Doubled?"]},
    {"question_id": 3, "category": "stem", "turns": ["Why is ice light?", "And lead?"]},
    {"question_id": 4, "category": "odd", "turns": ["Say hello.", "Say goodbye."]},
]
REFERENCES = [{"question_id": 2, "model_id": "ref", "choices": [{"turns": ["four", "eight"]}]}]


def _template(name, text, form):
    return {
        "name": name,
        "type": "single" if form == "[[rating]]" else "pairwise",
        "system_prompt": f"You are {name}.",
        "prompt_template": text,
        "output_format": form,
    }


TEMPLATES = [
    _template("single-v1", "Q {question} A {answer} {{kept}}", "[[rating]]"),
    _template("single-math-v1", "Q {question} R {ref_answer_1} A {answer}", "[[rating]]"),
    _template(
        "single-v1-multi-turn", "{question_1}|{answer_1}|{question_2}|{answer_2}", "[[rating]]"
    ),
    _template(
        "single-math-v1-multi-turn",
        "{ref_answer_1}|{ref_answer_2}|{question_1}|{answer_1}|{question_2}|{answer_2}",
        "[[rating]]",
    ),
    _template("pair-v2", "Q {question} a {answer_a} b {answer_b}", "[[A]]"),
    _template("pair-math-v1", "R {ref_answer_1} {question} {answer_a} {answer_b}", "[[A]]"),
    _template(
        "pair-v2-multi-turn",
        "{question_1} {answer_a_1} {question_2} {answer_a_2} / {answer_b_1} {answer_b_2}",
        "[[A]]",
    ),
    _template(
        "pair-math-v1-multi-turn",
        "{ref_answer_1} {ref_answer_2} {question_1} {question_2} {answer_a_1} {answer_a_2} "
        "{answer_b_1} {answer_b_2}",
        "[[A]]",
    ),
]


def write_jsonl(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def templates():
    """Rows of the judge's templates."""
    return [dict(row) for row in TEMPLATES]


@pytest.fixture
def small_set():
    """Three questions of two turns and one of one turn."""
    return QuestionSet(
        {"1": 2, "2": 2, "3": 2, "4": 1},
        {"1": "writing", "2": "math", "3": "stem"},
        "the small set",
    )


@pytest.fixture
def rating():
    """One stored rating."""

    def make(question=1, turn=1, score=7, model="m", judge="j", template="single-v1", **more):
        row = {
            "question_id": question,
            "turn": turn,
            "model": model,
            "judge": [judge, template],
            "score": score,
            "judgment": f"Seen {question}/{turn}. Rating: [[{score}]]",
        }
        return row | more

    return make


@pytest.fixture
def as_rows():
    """Records as rows of a file."""

    def make(records, name="f.jsonl"):
        return [Row(record, f"{name}, row {n}") for n, record in enumerate(records, 1)]

    return make


@pytest.fixture
def files(tmp_path):
    """Paths of an invented benchmark; ``roles`` replace or add rows."""

    def make(**roles):
        content = {
            "questions": QUESTIONS,
            "reference_answers": REFERENCES,
            "judge_prompts": TEMPLATES,
        } | roles
        return BenchmarkFiles(
            "mt-bench",
            {
                role: write_jsonl(tmp_path / "bench" / f"{role}.jsonl", rows)
                for role, rows in content.items()
                if rows is not None
            },
        )

    return make


@pytest.fixture
def answers():
    """A model that answers everything."""

    def make(model="m", questions=("1", "2", "3", "4"), text="{} says {} to {}"):
        return ModelAnswers(
            model,
            {q: Answer(tuple(text.format(model, q, turn) for turn in (1, 2))) for q in questions},
        )

    return make


@pytest.fixture
def opened(files):
    """The invented benchmark."""

    def make(roles=None, **options):
        return open_benchmark(files(**(roles or {})), **options)

    return make


@pytest.fixture
def judge_with():
    """Outcomes by a function from a call to a text, read by the call's contract."""

    def make(write):
        def verdicts(call):
            text = write(call)
            if text is None:
                return Outcome(None, "no valid reply", "I refuse.")
            return Outcome(call.contract.read(Reply(text)), "", text)

        return verdicts

    return make
