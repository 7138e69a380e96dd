"""Judges' figures straight from their result files."""

from collections.abc import Sequence
from pathlib import Path

from evaluation.llmbar.reading import read_judged, read_pairs, require_subset
from evaluation.llmbar.scoring import score_judges
from evaluation.scores import Scores
from mnpo.errors import InvalidSetting
from mnpo.runs.files import sha256_file


def score_files(
    judgments: Sequence[Path],
    *,
    names: Sequence[str] = (),
    dataset: Path | None = None,
    subset: str | None = None,
    allow_missing: bool = False,
) -> Scores:
    """One judge for each file.

    Args:
        judgments: result files.
        names: of the judges; none takes the files' names without their endings.
        dataset: LLMBar's data, a file or a folder: the labels are checked against it.
        subset: the only one that the files hold.
        allow_missing: score although pairs were not judged.

    Raises:
        InvalidSetting: two judges of one name, or another number of names than files.
        UserError: as `read_judged`, `read_pairs` and `score_judges`.
    """
    if names and len(names) != len(judgments):
        raise InvalidSetting(f"{len(judgments)} files need as many names, got {len(names)}")
    if subset is not None:
        require_subset(subset)
    own = list(names) or [path.name.partition(".json")[0] for path in judgments]
    twice = sorted({name for name in own if own.count(name) > 1})
    if twice:
        raise InvalidSetting(
            f"two judges are called '{twice[0]}'; name each with --name, in the files' order"
        )
    judges = {name: read_judged(path, subset) for name, path in zip(own, judgments, strict=True)}
    hashes = {
        f"judgments {name}": sha256_file(path) for name, path in zip(own, judgments, strict=True)
    }
    pairs = None
    if dataset is not None:
        pairs = read_pairs(dataset, subset)
        if dataset.is_file():
            hashes["dataset"] = sha256_file(dataset)
    return score_judges(
        judges,
        pairs=pairs,
        subset=subset,
        allow_missing=allow_missing,
        hashes=hashes,
    )
