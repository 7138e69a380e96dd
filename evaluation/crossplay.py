"""Cross-play: every policy answers the held-out prompts, and a judge compares all the answers.

Samples and judgements are stages of the run: a cross-play that is interrupted goes on, one with
further policies samples only those, and the order in which policies are named changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from evaluation import crossplay_report as report
from evaluation.crossplay_summary import Answers, PolicySummary, summarize
from evaluation.pool.standings import PoolStandings, pool_standings
from evaluation.tidy import Origin
from evaluation.winmatrix import PoolGame, WinMatrix, block_means
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import digest
from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.online.asking import ask
from mnpo.training.online.sampling import SamplingTask, sample_groups
from mnpo.training.oracles.base import PreferenceOracle
from mnpo.training.seeds import seed_for

if TYPE_CHECKING:
    from rich.table import Table

    from mnpo.training.workbench import Workbench

#: What the start is called where the caller did not name it.
START = "start"


@dataclass(frozen=True, eq=False)
class CrossPlay:
    """The result of a cross-play.

    Attributes:
        start: name of the policy that all were trained from.
        judge: name of the headline judge.
        judges: win rates under each judge, the headline's first.
        pool: the pool under the headline judge; None with ``against="start"``.
        summaries: of the policies, in the order given; the start first where it was not given.
        responses: per prompt and policy.
        queries: pairs that the judges were asked about, stored answers included.
        hashes: of the held-out prompts and of each judge's description.
        prompts: names of the held-out prompts, in the order of the win rates.
    """

    start: str
    judge: str
    judges: Mapping[str, WinMatrix]
    pool: PoolStandings | None
    summaries: tuple[PolicySummary, ...]
    responses: int
    queries: int
    hashes: Mapping[str, str]
    prompts: tuple[str, ...]

    @property
    def game(self) -> PoolGame | None:
        """The pool's game as measured, under the headline judge."""
        return None if self.pool is None else self.pool.game

    @property
    def wins(self) -> WinMatrix:
        """Win rates under the headline judge."""
        return self.judges[self.judge]

    def table(self) -> "Table":
        """For a terminal."""
        return report.table(self.summaries, self.start, self._caption())

    def write(self, folder: Path, origins: Mapping[str, Origin] | None = None) -> list[Path]:
        """Write the pairs, the page, the win rates of every prompt, and the tidy table.

        They are ``crossplay.csv``, ``crossplay.md``, ``crossplay-wins.parquet`` and
        ``crossplay-results.csv``.

        Args:
            folder: must exist.
            origins: where each policy comes from, for the tidy rows; those not named stand there
                under their name in the pool, as algorithms.

        Raises:
            OSError: a file cannot be written.
        """
        return report.write(
            folder,
            summaries=self.summaries,
            judges=self.judges,
            judge=self.judge,
            start=self.start,
            pool=self.pool,
            caption=self._caption(),
            hashes=self.hashes,
            prompts=self.prompts,
            origins=origins or {},
        )

    def _caption(self) -> str:
        prompts = len(self.wins.wins)
        text = f"judge {self.judge}, {prompts} held-out prompts, {self.responses} response"
        text += "s each" if self.responses > 1 else " each"
        if self.pool is not None:
            text += f", cyclic share {report.brief(self.pool.cyclic_share)}"
        return text


def cross_play(
    bench: "Workbench",
    policies: Mapping[str, PolicyCheckpoint],
    *,
    responses: int = 1,
    oracles: Mapping[str, PreferenceOracle] | None = None,
    against: Literal["all", "start"] = "all",
    seed: int = 0,
) -> CrossPlay:
    """Play policies against one another on the held-out prompts.

    All responses to a prompt go to a judge in one question, so N policies with R responses each
    cost NR(NR - 1)/2 pairs a prompt. Policies draw from random streams of their own: their
    responses to a prompt are independent, as P(pi beats pi') takes them to be. Under several
    processes all of them call it: they share the work.

    Args:
        bench: of the run: prompts, start, backend, judge and finished stages.
        policies: by name. The start plays along under its own name, or as "start".
        responses: R, of each policy to each prompt.
        oracles: judges by name. The first is the headline; several are a population of annotators
            in equal shares. None asks the recipe's oracle, and its annotators as the population.
        against: "start" asks for an expensive judge only what is needed against the start: R
            pairs a prompt and policy, each of a response of its own on both sides.
        seed: of the samples.

    Raises:
        InvalidSetting: no policy beside the start, no judge, or another policy called "start".
        UserError: from sampling or asking; what is done by then is kept.
    """
    pool, start = _pool(bench.start, policies)
    judges, population = _judges(bench, oracles)
    if responses < 1:
        raise InvalidSetting(f"cross-play: responses must be at least 1, got {responses}")
    distinct = sorted({policy.sha256: policy for policy in pool.values()}.items())
    sampled = [_sample(bench, policy, responses, seed) for _, policy in distinct]
    place = {sha256: index for index, (sha256, _) in enumerate(distinct)}
    seats = [place[policy.sha256] for policy in pool.values()]
    home = place[bench.start.sha256] if against == "start" else None
    matrices: dict[str, WinMatrix] = {}
    queries = 0
    for name, oracle in judges.items():
        wins, asked = _play(bench, sampled, oracle, home)
        queries += asked
        matrices[name] = WinMatrix(tuple(pool), wins[:, seats][:, :, seats])
    judge = next(iter(judges))
    standings = None
    if against == "all":
        if not matrices[judge].complete:
            raise UserError("cross-play: two policies have no prompt that both have answered")
        standings = pool_standings(matrices[judge], seed=seed)
    return CrossPlay(
        start=start,
        judge=judge,
        judges=matrices,
        pool=standings,
        summaries=tuple(
            summarize(
                name,
                policy.sha256,
                start=start,
                judged=matrices[judge],
                population={key: matrices[key] for key in population},
                standing=None if standings is None else standings.standings[seat],
                answers=_answers(sampled[place[policy.sha256]]),
            )
            for seat, (name, policy) in enumerate(pool.items())
        ),
        responses=responses,
        queries=queries,
        hashes={"prompts": digest([prompt.key for prompt in bench.held_out])}
        | {f"judge {name}": digest(oracle.describe()) for name, oracle in judges.items()},
        prompts=tuple(prompt.key for prompt in bench.held_out),
    )


def _pool(
    start: PolicyCheckpoint, policies: Mapping[str, PolicyCheckpoint]
) -> tuple[dict[str, PolicyCheckpoint], str]:
    """All policies with the start among them, and its name."""
    named = next((name for name, own in policies.items() if own.sha256 == start.sha256), None)
    pool = dict(policies)
    if named is None:
        if START in policies:
            raise InvalidSetting(
                f"cross-play: '{START}' is the policy that the run started from, and another one "
                "is called that; give it another name"
            )
        named = START
        pool = {START: start, **policies}
    if len(pool) < 2:
        raise InvalidSetting("cross-play needs a policy beside the start")
    return pool, named


def _judges(
    bench: "Workbench", oracles: Mapping[str, PreferenceOracle] | None
) -> tuple[dict[str, PreferenceOracle], tuple[str, ...]]:
    """Judges by name, the headline's first, and the names of those that are a population."""
    if oracles is not None:
        if not oracles:
            raise InvalidSetting("cross-play needs a judge")
        return dict(oracles), tuple(oracles) if len(oracles) > 1 else ()
    annotators = {oracle.name: oracle for oracle in bench.annotators}
    headline = bench.oracle.name
    if headline in annotators and annotators[headline].describe() != bench.oracle.describe():
        headline = f"{headline} (oracle)"
    return {headline: bench.oracle} | annotators, tuple(annotators)


def _sample(
    bench: "Workbench", policy: PolicyCheckpoint, responses: int, seed: int
) -> GroupDataset:
    """A policy's responses to the held-out prompts."""
    return sample_groups(
        bench.stages,
        SamplingTask(
            prompts=bench.held_out,
            components=((((policy, 1.0),), 1.0),),
            responses=responses,
            seed=seed_for(seed, "cross-play", policy.sha256),
        ),
        backend=bench.backend,
        settings=bench.recipe.sampling,
        contract=bench.contract,
        tokenizer=bench.tokenizer,
    )


def _play(
    bench: "Workbench",
    sampled: Sequence[GroupDataset],
    oracle: PreferenceOracle,
    home: int | None,
) -> tuple[np.ndarray, int]:
    """Win rates on each prompt, (C, N, N), and the pairs that were asked about.

    Args:
        bench: of the run.
        sampled: of each policy, the same prompts in the same order.
        oracle: the judge.
        home: number of the start, when only it is played against; None plays all.
    """
    prompts = len(sampled[0].groups)
    questions: list[tuple[int, Group, list[int]]] = []  # prompt, responses, whose they are
    for index in range(prompts):
        own = [dataset.groups[index] for dataset in sampled]
        questions += [
            (index, _joined(own[0], [response for _, response in chosen]), [i for i, _ in chosen])
            for chosen in _chosen(own, home)
        ]
    dataset = GroupDataset(bench.contract, tuple(group for _, group, _ in questions))
    answers = ask(bench.stages, dataset, oracle)
    size = len(sampled)
    found: list[list[np.ndarray]] = [[] for _ in range(prompts)]
    for (index, _, owners), preferences in zip(questions, answers.preferences, strict=True):
        found[index].append(block_means(preferences, owners, size))
    wins = np.full((prompts, size, size), np.nan)
    for index, blocks in enumerate(found):
        if blocks:
            wins[index] = _mean_of_measured(np.array(blocks))
    return wins, sum(oracle.queries(len(owners)) for _, _, owners in questions)


def _chosen(own: Sequence[Group], home: int | None) -> list[list[tuple[int, Response]]]:
    """Which responses to one prompt are compared with one another, with their policies' numbers."""
    if home is None:
        everything = [(i, r) for i, group in enumerate(own) for r in group.responses]
        return [everything] if len({i for i, _ in everything}) > 1 else []
    return [
        [(i, theirs), (home, ours)]
        for i, group in enumerate(own)
        if i != home
        for theirs, ours in zip(group.responses, own[home].responses, strict=False)
    ]


def _joined(group: Group, responses: Sequence[Response]) -> Group:
    return Group(group.prompt, group.prompt_ids, tuple(responses))


def _mean_of_measured(blocks: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is not NaN; NaN where all of it is."""
    present = ~np.isnan(blocks)
    count = present.sum(axis=0)
    total = np.where(present, blocks, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _answers(dataset: GroupDataset) -> Answers:
    groups = [group.responses for group in dataset.groups]
    return Answers(
        texts=tuple(tuple(r.text for r in own) for own in groups),
        tokens=tuple(tuple(len(r.ids) for r in own) for own in groups),
        finished=tuple(tuple(r.finished for r in own) for own in groups),
    )
