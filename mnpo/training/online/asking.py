"""The asking stage: an oracle's K x K win probabilities (and rewards) for every group."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import InvalidSetting
from mnpo.runs.files import digest, write_atomically
from mnpo.training.data.groups import GroupDataset
from mnpo.training.oracles.base import (
    OracleFailure,
    PreferenceOracle,
    Question,
    RewardOracle,
    check_matrix,
    check_rewards,
)
from mnpo.training.shards import is_done, read_shard, write_shard
from mnpo.training.stages import SCRATCH, StageStore

Array = NDArray[np.float64]
#: Questions in one restartable piece of work.
SHARD = 32


@dataclass(frozen=True, eq=False)
class Answers:
    """What an oracle said of each group.

    Attributes:
        preferences: one (K, K) matrix a group.
        rewards: one (K,) vector a group; None where rewards were not asked for.
    """

    preferences: tuple[Array, ...]
    rewards: tuple[Array, ...] | None


def ask(
    store: StageStore,
    dataset: GroupDataset,
    oracle: PreferenceOracle,
    *,
    rewards: bool = False,
) -> Answers:
    """The oracle's answers, asked now or taken from the store.

    Shards of questions are finished one by one: when an oracle fails for good the run stops
    cleanly, and the same command asks only what is missing.

    Args:
        store: of stages.
        dataset: groups of responses.
        oracle: whom to ask.
        rewards: ask for scalar rewards as well.

    Raises:
        InvalidSetting: rewards from an oracle that has none.
        OracleFailure: it gave no usable answer.
    """
    if rewards and not isinstance(oracle, RewardOracle):
        raise InvalidSetting(
            f"the method regresses on scalar rewards and oracle '{oracle.name}' has none; use a "
            "reward model or a rule, or give the method a preference advantage"
        )
    questions = [
        Question(group.prompt, tuple(response.text for response in group.responses))
        for group in dataset.groups
    ]
    inputs = {
        "questions": digest(
            [[q.prompt.key, q.prompt.demonstrations, list(q.responses)] for q in questions]
        ),
        "oracle": oracle.describe(),
        "rewards": rewards,
    }

    def make(folder: Path) -> None:
        scratch = folder / SCRATCH
        scratch.mkdir(exist_ok=True)
        shards = range(0, len(questions), SHARD)
        files = [scratch / f"shard-{index:05d}.json" for index in range(len(shards))]
        for index, (file, first) in enumerate(zip(files, shards, strict=True)):
            if index % store.world.size == store.world.rank and not is_done(file):
                _answer(file, questions[first : first + SHARD], oracle, rewards)
        store.world.barrier()
        if store.world.leads:
            rows = [row for file in files for row in read_shard(file)]
            text = "".join(json.dumps(row) + "\n" for row in rows)
            # A fixed time, so that the same answers are the same bytes.
            write_atomically(folder / "answers.jsonl.gz", gzip.compress(text.encode(), mtime=0))

    folder = store.build("ask", inputs, make)
    return _read(folder / "answers.jsonl.gz", rewards)


def _answer(file: Path, questions: list[Question], oracle: PreferenceOracle, rewards: bool) -> None:
    """Ask a shard's questions and write the checked answers; nobody is asked about nothing."""
    asked = [question for question in questions if question.responses]
    values: list[Array] = [np.empty(0)] * len(asked)
    if rewards:
        assert isinstance(oracle, RewardOracle)
        values = _all_of(oracle.rewards(asked), asked, oracle)
        matrices = oracle.preferences(asked, values)  # a model that is asked once, not twice
    else:
        matrices = _all_of(oracle.compare(asked), asked, oracle)
    answered = iter(zip(matrices, values, strict=True))
    rows: list[dict[str, Any]] = []
    for question in questions:
        matrix, value = next(answered) if question.responses else (np.empty((0, 0)), np.empty(0))
        if question.responses:
            check_matrix(matrix, question, oracle.name)
        row = {"preferences": matrix.tolist()}
        if rewards:
            row["rewards"] = check_rewards(value, question, oracle.name).tolist()
        rows.append(row)
    write_shard(file, rows)


def _all_of(answers: list[Array], asked: list[Question], oracle: PreferenceOracle) -> list[Array]:
    if len(answers) != len(asked):
        raise OracleFailure(
            f"oracle '{oracle.name}' answered {len(answers)} times to {len(asked)} questions"
        )
    return answers


def _read(file: Path, rewards: bool) -> Answers:
    with gzip.open(file, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    preferences = tuple(_square(row["preferences"]) for row in rows)
    if not rewards:
        return Answers(preferences, None)
    return Answers(preferences, tuple(np.array(row["rewards"], dtype=np.float64) for row in rows))


def _square(rows: list[list[float]]) -> Array:
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows))
