"""The asking stage: an oracle's K x K win probabilities (and rewards) for every group."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import InvalidSetting
from mnpo.runs.files import digest, write_atomically
from mnpo.training.data.groups import GroupDataset
from mnpo.training.oracles.base import PreferenceOracle, Question, RewardOracle
from mnpo.training.shards import is_done, read_shard, write_shard
from mnpo.training.stages import StageStore

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
    key_of_texts: str | None = None,
) -> Answers:
    """The oracle's answers, asked now or taken from the store.

    Shards of questions are finished one by one: when an oracle fails for good the run stops
    cleanly, and the same command asks only what is missing.

    Args:
        store: of stages.
        dataset: groups of responses.
        oracle: whom to ask.
        rewards: ask for scalar rewards as well.
        key_of_texts: hash of the questions, when it is known already.

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
        "questions": key_of_texts or digest([[q.prompt.key, list(q.responses)] for q in questions]),
        "oracle": oracle.describe(),
        "rewards": rewards,
    }

    def make(folder: Path) -> None:
        shards = range(0, len(questions), SHARD)
        for index, first in enumerate(shards):
            file = folder / f"shard-{index:05d}.json"
            if index % store.world.size == store.world.rank and not is_done(file):
                _answer(file, questions[first : first + SHARD], oracle, rewards)
        store.world.barrier()
        if store.world.leads:
            files = [folder / f"shard-{index:05d}.json" for index in range(len(shards))]
            rows = [row for file in files for row in read_shard(file)]
            text = "".join(json.dumps(row) + "\n" for row in rows)
            # A fixed time, so that the same answers are the same bytes.
            write_atomically(folder / "answers.jsonl.gz", gzip.compress(text.encode(), mtime=0))
            for file in files:
                file.unlink()

    folder = store.build("ask", inputs, make)
    return _read(folder / "answers.jsonl.gz", rewards)


def _answer(file: Path, questions: list[Question], oracle: PreferenceOracle, rewards: bool) -> None:
    matrices = oracle.compare(questions)
    values: list[Array] | None = None
    if rewards:
        assert isinstance(oracle, RewardOracle)
        values = oracle.rewards(questions)
    rows = [
        {"preferences": matrix.tolist()}
        | ({"rewards": values[i].tolist()} if values is not None else {})
        for i, matrix in enumerate(matrices)
    ]
    write_shard(file, rows)


def _read(file: Path, rewards: bool) -> Answers:
    with gzip.open(file, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    preferences = tuple(np.array(row["preferences"], dtype=np.float64) for row in rows)
    if not rewards:
        return Answers(preferences, None)
    return Answers(preferences, tuple(np.array(row["rewards"], dtype=np.float64) for row in rows))
