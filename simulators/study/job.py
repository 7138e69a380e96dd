"""One job: a batch of runs of one algorithm, small enough to finish soon, big enough to be fast."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import mnpo
from mnpo.algorithms.registry import find_entry
from mnpo.errors import NoMinimiser
from mnpo.runs.files import digest, sha256_file
from simulators.dynamics.modes import Mode
from simulators.dynamics.result import BatchResult
from simulators.dynamics.settings import Settings
from simulators.dynamics.setup import Extras
from simulators.dynamics.simulation import simulate_batch
from simulators.games import Game, make_game

if TYPE_CHECKING:
    import pyarrow as pa

#: Iterations kept in trajectories of big studies, spaced evenly on a logarithmic axis.
THINNED = 200


@dataclass(frozen=True)
class Job:
    """R runs of one algorithm on one family of games; plain values, so that it can travel.

    Attributes:
        game: registry name or ``file:PATH``.
        game_parameters: one mapping for all runs, or one for each.
        game_sha256: hash of the (first) game's numbers, which a changed file changes.
        algorithm, parameters: registry name and its parameters beyond the three below.
        mode: the mode's settings by name, "name" included.
        step_sizes, temperatures, seeds: (R,).
        reference: probabilities, or None for uniform.
        initial: probabilities, "random", or None for the reference.
        iterations: T.
        axes: swept settings that are the same for all runs of the job, for the summary.
        keep_policies: keep all policies.
        thin: keep only some iterations of the trajectories.
    """

    game: str
    game_parameters: tuple[Mapping[str, Any], ...]
    game_sha256: str
    algorithm: str
    parameters: Mapping[str, Any]
    mode: Mapping[str, Any]
    extras: Mapping[str, Any]
    step_sizes: tuple[float, ...]
    temperatures: tuple[float, ...]
    seeds: tuple[int, ...]
    reference: tuple[float, ...] | None
    initial: tuple[float, ...] | str | None
    iterations: int
    axes: Mapping[str, Any] = field(default_factory=dict)
    keep_policies: bool = False
    thin: bool = False

    @property
    def runs(self) -> int:
        """R."""
        return len(self.seeds)

    @cached_property
    def key(self) -> str:
        """Content address: a hash of everything that goes into the job, the code included."""
        return digest({"job": asdict(self), "source": source_digest()})[:32]

    def games(self) -> list[Game]:
        """The game of all runs, or one for each."""
        return [build_game(self.game, parameters) for parameters in self.game_parameters]

    def settings(self) -> Settings:
        """The batch without its games."""
        return Settings(
            algorithm=self.algorithm,
            step_size=np.array(self.step_sizes),
            temperature=np.array(self.temperatures),
            seeds=self.seeds,
            iterations=self.iterations,
            mode=Mode(**self.mode),
            reference=self.reference,
            initial=self.initial,
            parameters=tuple(self.parameters.items()),
            extras=Extras(**self.extras),
        )

    def only(self, run: int) -> "Job":
        """The job of a single run."""
        from dataclasses import replace

        several = len(self.game_parameters) > 1
        return replace(
            self,
            game_parameters=(self.game_parameters[run if several else 0],),
            step_sizes=(self.step_sizes[run],),
            temperatures=(self.temperatures[run],),
            seeds=(self.seeds[run],),
        )


@dataclass(frozen=True, eq=False)
class JobOutput:
    """A finished job: its summary rows and its trajectories."""

    rows: list[dict[str, Any]]
    trajectories: "pa.Table"


def build_game(name: str, parameters: Mapping[str, Any]) -> Game:
    """The game of a job."""
    return make_game(name, **parameters)


def game_digest(game: Game) -> str:
    """Hash of every number of a game that a run can read."""
    arrays = {
        "preferences": game.preferences,
        "annotators": game.annotators,
        "annotator_weights": game.annotator_weights,
        "utilities": game.utilities,
        "features": game.features,
    }
    state = hashlib.sha256(str(game.players).encode())
    for name, array in arrays.items():
        if array is not None:
            state.update(f"{name}{array.shape}".encode())
            state.update(np.ascontiguousarray(array, dtype="<f8").data)
    return state.hexdigest()


def run_job(job: Job, progress: Callable[[int], None] | None = None) -> JobOutput:
    """Run a job in this process.

    A run without a finite minimiser is a finding about its algorithm: it yields a row whose
    verdict is "no minimiser" and whose metrics are missing, and the others go on.

    Raises:
        UserError: for settings that cannot be run.
    """
    try:
        result = simulate_batch(
            job.games(), job.settings(), keep_policies=job.keep_policies, progress=progress
        )
    except NoMinimiser as error:
        if job.runs == 1:
            nothing = trajectory_schema().empty_table()
            return JobOutput([_row_without_minimiser(job, str(error))], nothing)
        return _one_by_one(job)
    rows = [_row(job, result, run) for run in range(job.runs)]
    return JobOutput(rows, _trajectories(job, result, rows))


def _one_by_one(job: Job) -> JobOutput:
    """The job's runs each for itself, for batches in which some run has no minimiser."""
    import pyarrow as pa

    rows, tables = [], []
    for r in range(job.runs):
        part = run_job(job.only(r))
        (row,) = part.rows
        name = f"{job.key[:8]}-{r}"
        rows.append(row | {"run": name})
        names = pa.array([name] * part.trajectories.num_rows, pa.string())
        tables.append(part.trajectories.set_column(0, "run", names))
    return JobOutput(rows, pa.concat_tables(tables))


def _row(job: Job, result: BatchResult, run: int) -> dict[str, Any]:
    return {"run": f"{job.key[:8]}-{run}"} | result.summary(run) | _labels(job)


def _labels(job: Job) -> dict[str, Any]:
    return {"parameters": dict(job.parameters), "axes": dict(job.axes)}


def _row_without_minimiser(job: Job, reason: str) -> dict[str, Any]:
    reads = find_entry(job.algorithm).kind.reads
    return {
        "run": f"{job.key[:8]}-0",
        "game": job.games()[0].name,
        "algorithm": job.algorithm,
        "mode": job.mode.get("name", "exact"),
        "seed": job.seeds[0],
        "step_size": job.step_sizes[0] if "step_size" in reads else None,
        "temperature": job.temperatures[0],
        "iterations": 0,
        "verdict": "no minimiser",
        "note": reason,
        "oracle_rounds": 0,
        "preference_queries": 0,
        "gradient_steps": 0,
    } | _labels(job)


def trajectory_schema() -> "pa.Schema":
    """Columns of ``trajectories.parquet``; policy is null where policies are not kept."""
    import pyarrow as pa

    metrics = ("gap", "gap_average", "regularized_gap", "kl_to_regularized_equilibrium")
    return pa.schema(
        [
            ("run", pa.string()),
            ("iteration", pa.int64()),
            *((name, pa.float64()) for name in metrics),
            ("policy", pa.list_(pa.float64())),
        ]
    )


def _trajectories(job: Job, result: BatchResult, rows: list[dict[str, Any]]) -> "pa.Table":
    import pyarrow as pa

    names = ("gap", "average_gap", "regularized_gap", "kl")
    series = [result.series(name) for name in names]
    length = len(series[0])
    kept = _kept_iterations(length, job.thin)
    policies = _flat_policies(result, kept)
    columns = [
        pa.array(np.repeat([row["run"] for row in rows], len(kept))),
        pa.array(np.tile(kept, job.runs)),
        *(pa.array(np.ascontiguousarray(values[kept].T).ravel()) for values in series),
        policies,
    ]
    return pa.table(columns, schema=trajectory_schema())


def _kept_iterations(length: int, thin: bool) -> NDArray[np.int64]:
    if not thin or length <= THINNED:
        return np.arange(length)
    spaced = np.geomspace(1, length - 1, THINNED - 1).round().astype(np.int64)
    return np.unique(np.concatenate([[0], spaced]))


def _flat_policies(result: BatchResult, kept: NDArray[np.int64]) -> "pa.Array":
    """The policy of each run and kept iteration, players one after the other."""
    import pyarrow as pa

    trajectory = result.recorder.trajectory  # (T + 1, players, K, B)
    if trajectory is None or result.batch.contexts > 1:
        return pa.nulls(result.runs * len(kept), pa.list_(pa.float64()))
    rows = np.moveaxis(trajectory[kept], -1, 0).reshape(result.runs * len(kept), -1)
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(offsets, np.ascontiguousarray(rows).ravel())


@cache
def source_digest() -> str:
    """Hash of the source files that a simulated number depends on."""
    root = Path(__file__).resolve().parent.parent
    package = Path(mnpo.__file__).resolve().parent
    folders = [root, package / "algorithms", package / "losses"]
    files = sorted(
        path
        for folder in folders
        for path in folder.rglob("*.py")
        if "report" not in path.relative_to(folder).parts
    )
    return digest([[path.name, sha256_file(path)] for path in files])
