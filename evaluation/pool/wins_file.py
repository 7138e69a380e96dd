"""Win rates prompt by prompt as one Parquet file: what pools are rated from, long after the run."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.winmatrix import WinMatrix
from mnpo.errors import InvalidSetting

if TYPE_CHECKING:
    import pyarrow as pa

#: Name of the file wherever a cross-play is written.
WINS = "crossplay-wins.parquet"
COLUMNS = ("prompt", "policy", "opponent", "judge", "win_rate")


@dataclass(frozen=True, eq=False)
class PromptWins:
    """What one judge said.

    Attributes:
        prompts: (C,) their names, in order.
        wins: (C, N, N) win rates.
    """

    prompts: tuple[str, ...]
    wins: WinMatrix


def wins_bytes(judges: Mapping[str, WinMatrix], prompts: Sequence[str]) -> bytes:
    """The file: a row for every judge, prompt and ordered pair that was measured.

    Equal win rates give equal bytes, under one version of pyarrow.

    Args:
        judges: win rates under each.
        prompts: (C,) distinct names.

    Raises:
        InvalidSetting: another number of prompts, or a name that is there twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if len(set(prompts)) < len(prompts):
        raise InvalidSetting("two prompts of a cross-play have one name")
    tables = [_table(judge, own, prompts) for judge, own in judges.items()]
    table = pa.concat_tables([_schema().empty_table(), *tables])
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def read_wins(content: bytes) -> dict[str, PromptWins]:
    """The win rates under each judge; prompts and policies in the order of the file.

    On the diagonal a policy has 1/2 on every prompt on which it met somebody.

    Raises:
        InvalidSetting: no such file, or a win rate that is no probability.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError):
        raise InvalidSetting("it is no Parquet file") from None
    if tuple(table.column_names) != COLUMNS:
        raise InvalidSetting(f"its columns are not {', '.join(COLUMNS)}")
    try:
        table = table.cast(_schema())
    except pa.ArrowException:
        raise InvalidSetting("its columns hold other values than names and win rates") from None
    if any(table[name].null_count for name in COLUMNS):
        raise InvalidSetting("a cell is empty")
    rates = np.asarray(table["win_rate"].to_numpy(), dtype=np.float64)
    if not ((rates >= 0) & (rates <= 1)).all():  # NaN fails both
        raise InvalidSetting("a win rate is no probability")
    judge_of, judges = _numbered(table, "judge")
    prompt_of, prompts = _numbered(table, "prompt")
    policy_of, policies = _numbered(table, "policy")
    opponent_of, opponents = _numbered(table, "opponent")
    place = {name: index for index, name in enumerate(policies)}
    if not set(opponents) <= set(place):
        raise InvalidSetting("an opponent is nobody's policy")
    columns = np.array([place[name] for name in opponents], dtype=np.intp)
    found = {}
    for number, judge in enumerate(judges):
        own = judge_of == number
        where = (prompt_of[own], policy_of[own], columns[opponent_of[own]])
        wins = np.full((len(prompts), len(policies), len(policies)), np.nan)
        wins[where] = rates[own]
        if np.count_nonzero(~np.isnan(wins)) < own.sum():
            raise InvalidSetting(f"a pair stands there twice under {judge}")
        met = ~np.isnan(wins).all(axis=2)
        everyone = np.arange(len(policies))
        wins[:, everyone, everyone] = np.where(met, 0.5, np.nan)
        found[judge] = PromptWins(prompts, WinMatrix(policies, wins))
    return found


def _schema() -> "pa.Schema":
    import pyarrow as pa

    texts = [(name, pa.string()) for name in COLUMNS[:-1]]
    return pa.schema([*texts, (COLUMNS[-1], pa.float64())])


def _table(judge: str, own: WinMatrix, prompts: Sequence[str]) -> "pa.Table":
    import pyarrow as pa

    if len(own.wins) != len(prompts):
        raise InvalidSetting(f"{len(own.wins)} prompts got {len(prompts)} names")
    measured = ~np.isnan(own.wins)
    everyone = np.arange(len(own.names))
    measured[:, everyone, everyone] = False
    prompt, policy, opponent = np.nonzero(measured)
    columns = [
        _texts(prompts, prompt),
        _texts(own.names, policy),
        _texts(own.names, opponent),
        _texts([judge], np.zeros(len(prompt), dtype=np.intp)),
        pa.array(own.wins[prompt, policy, opponent]),
    ]
    return pa.table(columns, schema=_schema())


def _texts(names: Sequence[str], index: NDArray[np.intp]) -> "pa.Array":
    import pyarrow as pa

    return pa.array(list(names), pa.string()).take(pa.array(index))


def _numbered(table: "pa.Table", name: str) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Each row's number of its text, and the texts in the order in which they come."""
    encoded = table[name].combine_chunks().dictionary_encode()
    index = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.intp)
    return index, tuple(str(text) for text in encoded.dictionary.to_pylist())
