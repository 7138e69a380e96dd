"""Cross-plays as pools with ratings, from the win rates of every prompt that runs keep."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from evaluation.naming import folder_name
from evaluation.pool.wins_file import WINS, PromptWins, read_wins
from evaluation.winmatrix import WinMatrix
from leaderboards.board import LeftOut, Pool, Source
from leaderboards.collect.filters import takes_algorithm, takes_benchmark, takes_judge
from leaderboards.collect.measurements import Paired
from leaderboards.collect.opening import Opened
from leaderboards.collect.prompt_comparisons import CROSS_PLAY, compare_prompts
from leaderboards.options import BoardOptions
from mnpo.errors import DamagedRun, UserError

_POLICY = re.compile(
    r"(?P<run>.*/)?(?P<method>.+?)-seed-(?P<seed>\d+)(?:-player-(?P<player>\d+))?$"
)


@dataclass
class Found:
    """What the win rates of a run's prompts gave.

    Attributes:
        pools: for each judge the policies', before it the methods' where some have several seeds.
        paired: comparisons of its policies, prompt by prompt.
        left_out: what could not be rated.
    """

    pools: list[Pool] = field(default_factory=list)
    paired: list[Paired] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def run_pools(opened: Opened, key: str, judges: Mapping[str, None], options: BoardOptions) -> Found:
    """The pools of a run, one for each judge.

    Args:
        opened: a training or an evaluation.
        key: its key on the board.
        judges: that its cross-play asked, in order.
        options: filters, seed.

    Raises:
        DamagedRun: a file of win rates is damaged or broken.
    """
    if not judges or not takes_benchmark(options, CROSS_PLAY):
        return Found()
    whole = Found()
    for judge, file in _files(opened, judges):
        if not takes_judge(options, judge):
            continue
        if not opened.has(file):
            whole.left_out.append(
                LeftOut(
                    f"{key}: ratings of its cross-play",
                    f"{opened.path} keeps no win rates of single prompts ({WINS}): it was made by "
                    "an older version; repeat its command into another folder to rate its policies",
                )
            )
            break
        own = _read(opened, file).get(judge)
        if own is None:
            continue
        whole.paired += compare_prompts(key, judge, own)
        found = _pools(key, judge, file, own, options)
        if isinstance(found, LeftOut):
            whole.left_out.append(found)
        else:
            whole.pools += found
    return whole


def _files(opened: Opened, judges: Mapping[str, None]) -> Iterator[tuple[str, str]]:
    """A training run keeps all judges in one file, an evaluation has a folder for each."""
    for judge in judges:
        inner = f"{CROSS_PLAY}/{folder_name(judge)}/{WINS}"
        yield judge, WINS if opened.kind == "training" else inner


def _read(opened: Opened, file: str) -> dict[str, PromptWins]:
    content = opened.read(file)
    try:
        return read_wins(content)
    except UserError as error:
        raise DamagedRun(
            f"{opened.path}: {file} cannot be used: {error}; run the command again"
        ) from None


def _pools(
    key: str, judge: str, file: str, own: PromptWins, options: BoardOptions
) -> list[Pool] | LeftOut:
    from leaderboards.ratings import games_of_prompts, make_method_pool, make_pool

    kept = [name for name in own.wins.names if takes_algorithm(options, method_of(name))]
    what = f"{key}: pool under {judge}"
    if len(kept) < 2:
        return LeftOut(what, "fewer than two of its policies are asked for")
    notes: tuple[str, ...] = ()
    if len(kept) < len(own.wins.names):
        gone = len(own.wins.names) - len(kept)
        notes = (f"{gone} of its policies are not asked for, and left out of all ratings",)
    index = np.array([own.wins.names.index(name) for name in kept])
    wins = WinMatrix(tuple(kept), own.wins.wins[:, index][:, :, index])
    where = "held-out prompts" if file == WINS else "questions"
    asked = f"judge {judge}, {len(own.prompts)} {where}"
    sources = (Source(key, file),)
    games, methods = games_of_prompts(wins), [player_of(name) for name in kept]
    found = []
    if 1 < len(set(methods)) < len(methods):
        found.append(
            make_method_pool(
                games,
                methods,
                key=f"{key}/{judge}/methods",
                title=f"Methods of {key} over their seeds, {asked}",
                judge=judge,
                sources=sources,
                notes=notes,
                seed=options.seed,
            )
        )
        notes = (
            *notes,
            "every seed is a policy of its own here, and one's opponents include its own method's "
            "other seeds; intervals count prompts, not other training seeds",
        )
    policies = make_pool(
        games,
        key=f"{key}/{judge}",
        title=f"Cross-play of {key}, {asked}",
        judge=judge,
        sources=sources,
        notes=notes,
        seed=options.seed,
    )
    return [*found, policies]


def player_of(policy: str) -> str:
    """A policy's name without its seed: "ht-mnpo/player-1" of "ht-mnpo-seed-0-player-1"."""
    found = _POLICY.match(policy)
    if found is None:
        return policy
    player = f"/player-{found['player']}" if found["player"] else ""
    return f"{found['run'] or ''}{found['method']}{player}"


def method_of(policy: str) -> str:
    """The method of a policy's name, e.g. "ht-mnpo" of "ht-mnpo-seed-0-player-1"."""
    found = _POLICY.match(policy)
    return found["method"] if found else policy.rpartition("/")[2]
