"""A small arena of our own: questions, answers, judge files and verdicts, all invented here."""

import json

import numpy as np
import pytest

from evaluation.arena_hard.judged import Collected, Judged
from evaluation.arena_hard.table import tabulate
from evaluation.arena_hard.verdicts import Grade
from evaluation.data.files import BenchmarkFiles

SYSTEM = "You compare two cooks. Close with one label."
TEMPLATE = "Q {question_1} // first: {answer_1} // second: {answer_2} // {{end}}"
TEMPLATE_NOW = "Q {QUESTION} // first: {ANSWER_A} // second: {ANSWER_B} // {{end}}"
PATTERNS = ["\\[\\[([AB<>=]+)\\]\\]", "\\[([AB<>=]+)\\]"]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def random_games(rng, strength=0.0, shared=1.0):
    """Two verdicts on one answer that hang together: both orders see the same answer."""
    quality = strength + shared * rng.normal()
    games = []
    for _ in range(2):
        x = quality + 0.5 * rng.normal()
        points = 1.0 if x > 0.2 else 0.0 if x < -0.2 else 0.5
        games.append(Grade(points, points != 0.5 and abs(x) > 1.2))
    return tuple(games)


@pytest.fixture
def arena():
    """Records of several models on the same questions."""

    def make(
        models=3,
        questions=40,
        seed=0,
        category="arena-hard-v0.1",
        baseline="gpt-4-0314",
        shared=1.0,
    ):
        rng = np.random.default_rng(seed)
        return [
            Judged(
                f"m{m}", f"q{q}", category, baseline, random_games(rng, m / 2 - 0.5, shared), "x"
            )
            for m in range(models)
            for q in range(questions)
        ]

    return make


@pytest.fixture
def table_of():
    """A table of records."""

    def make(judged, between=()):
        return tabulate(
            judged,
            category=judged[0].category,
            baseline=judged[0].baseline,
            models=tuple(dict.fromkeys(own.model for own in judged)),
            questions=tuple(dict.fromkeys(own.question for own in judged)),
            between=between,
        )

    return make


@pytest.fixture
def collected():
    return lambda judged: Collected(tuple(judged))


@pytest.fixture
def questions_file(tmp_path):
    """A questions' file of either format."""

    def make(ids, *, current=True, category="arena-hard-v0.1", parts=None):
        rows = [
            {"uid": i, "category": category, "prompt": f"How to cook {i}?"}
            | ({"subcategory": parts[n % len(parts)]} if parts else {})
            if current
            else {"question_id": i, "category": category, "turns": [{"content": f"Cook {i}?"}]}
            for n, i in enumerate(ids)
        ]
        return write_jsonl(tmp_path / f"question-{category}-{current}.jsonl", rows)

    return make


@pytest.fixture
def files(tmp_path, questions_file):
    """The benchmark's files in the format of 2024 or of today, with six questions."""

    def make(*, current, prompts=True):
        ids = [f"q{i}" for i in range(6)]
        questions = questions_file(ids, current=current)
        baseline = [
            {
                "uid": i,
                "model": "gpt-4-0314",
                "messages": [
                    {"role": "user", "content": "?"},
                    {"role": "assistant", "content": {"answer": f"# Plain\n- {i} {{QUESTION}}"}},
                ],
            }
            if current
            else {
                "question_id": i,
                "model_id": "gpt-4-0314",
                "choices": [{"index": 0, "turns": [{"content": f"Boil {i} {{answer_1}}"}]}],
            }
            for i in ids
        ]
        config = {
            "bench_name": "arena-hard-v0.1",
            "judge_model": "cook-1",
            "temperature": 0.0,
            "max_tokens": 64,
        }
        if current:
            config |= {"regex_patterns": PATTERNS, "prompt_template": TEMPLATE_NOW}
        else:
            config |= {
                "regex_pattern": PATTERNS[0],
                "prompt_template": [TEMPLATE],
                "pairwise": True,
                "number_of_judgment_attempts": 2,
                "system_prompt": SYSTEM,
                "baseline_model": "gpt-4-0314",
            }
        paths = {
            "questions": questions,
            "baseline_answers": write_jsonl(tmp_path / "baseline.jsonl", baseline),
            "config": tmp_path / "config.json",
        }
        paths["config"].write_text(json.dumps(config))
        if current and prompts:
            paths["judge_prompts"] = tmp_path / "judge_utils.py"
            paths["judge_prompts"].write_text(
                f"import os\nTEXT = {SYSTEM!r}\nos.abort()\n"
                'JUDGE_SETTINGS = {"arena-hard-v0.1": '
                '{"baseline": "gpt-4-0314", "system_prompt": TEXT}}\n'
            )
        return BenchmarkFiles("arena-hard-v0.1", paths)

    return make
