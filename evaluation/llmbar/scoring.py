"""How good a judge is: accuracy over both orders, with intervals over pairs."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.compared import comparisons_of
from evaluation.gaps import Gap, require_whole
from evaluation.llmbar.kappa import cohen_kappa, official_code
from evaluation.llmbar.reading import OFFICIAL_SIZES, Judged, Key, Pair, listed, shown
from evaluation.scores import Comparison, ModelScore, Official, Scores
from evaluation.statistics import Interval, compare_all, mean_interval
from mnpo.errors import UserError

NAME = "llmbar"
ACCURACY = "accuracy"
_PERCENT = (0.0, 100.0)
_RULE = "LLMBar evaluate.py, {}; a reply without a verdict counts as wrong"
_KAPPA_RULE = "LLMBar evaluate.py, {}; verdicts coded 1 and 0, labels 1 and 2"


def score_judges(
    judges: Mapping[str, Sequence[Judged]],
    *,
    pairs: Mapping[Key, Pair] | None = None,
    subset: str | None = None,
    allow_missing: bool = False,
    hashes: Mapping[str, str] | None = None,
) -> Scores:
    """Accuracy in percent of each judge, as a whole, by order and by subset.

    A pair is judged in both orders; both belong to one cluster. A reply without a verdict is
    missing: the official figure counts it as wrong, ours leaves it out and reports it.

    Args:
        judges: verdicts by the judge's name.
        pairs: the data; None takes the official numbers of pairs.
        subset: the only one that is expected; None expects all.
        allow_missing: score although pairs were not judged.
        hashes: of the files, by role.

    Raises:
        UserError: unknown pairs, labels that are not the data's, pairs that were not judged, or a
            judge without any verdict.
    """
    expected = _expected(pairs, subset)
    models = []
    for name, judged in judges.items():
        absent = _check(name, judged, expected, pairs)
        gap = Gap(name, "judged pairs", {"": [shown(key) for key in absent]}, len(expected))
        require_whole([gap], allow_missing, "--subset NAME expects one subset only")
        models.append(_score_judge(name, judged, absent))
    return Scores(
        benchmark=NAME,
        judge="",
        models=tuple(models),
        comparisons=_compare(judges),
        hashes=hashes or {},
        settings={"orders": "both", "subset": subset},
    )


def _expected(pairs: Mapping[Key, Pair] | None, subset: str | None) -> list[Key]:
    if pairs is not None:
        keys = list(pairs)
    else:
        keys = [(name, i) for name, size in OFFICIAL_SIZES.items() for i in range(size)]
    return [key for key in keys if subset is None or key[0] == subset]


def _check(
    name: str, judged: Sequence[Judged], expected: Sequence[Key], pairs: Mapping[Key, Pair] | None
) -> list[Key]:
    """Pairs that were not judged."""
    known = set(expected)
    for one in judged:
        if one.key not in known:
            raise UserError(
                f"{one.where}: pair {listed([one.key])} is not in LLMBar's data; give the data "
                "of other pairs with --dataset"
            )
        if pairs is not None and pairs[one.key].label != one.label:
            raise UserError(
                f"{one.where}: the label of pair {listed([one.key])} is {one.label}, and "
                f"{pairs[one.key].label} in the data"
            )
    seen = {one.key for one in judged}
    return [key for key in expected if key not in seen]


def _score_judge(name: str, judged: Sequence[Judged], absent: Sequence[Key]) -> ModelScore:
    metrics: dict[str, Interval] = {}
    official: dict[str, Official] = {}
    for subset, rows in _parts(judged):
        metrics |= {_named(key, subset): found for key, found in _metrics(rows).items()}
        official |= {_named(key, subset): found for key, found in _official(rows).items()}
    if ACCURACY not in metrics:
        raise UserError(f"{name}: none of its {len(judged)} pairs has a verdict")
    without = [one.key for one in judged if None in one.winners]
    missing = sum(winner is None for one in judged for winner in one.winners)
    flags = []
    if missing:
        flags.append(
            f"{missing} of {2 * len(judged)} replies hold no verdict and are left out; the "
            f"official figures count them as wrong: {listed(without)}"
        )
    if absent:
        flags.append(f"{len(absent)} pairs were not judged: {listed(absent)}")
    ordered = [one for one in judged if None not in one.winners]
    return ModelScore(
        model=name,
        headline=ACCURACY,
        metrics=metrics,
        n=metrics[ACCURACY].n,
        missing=missing + 2 * len(absent),
        official=official,
        flags=tuple(flags),
        details={
            "first_shown_preferred": _percent(
                [w == ("1", "2")[order] for one in ordered for order, w in enumerate(one.winners)]
            ),
            "kappa": {
                "with_label": cohen_kappa(
                    [w for one in ordered for w in one.winners],
                    [one.label for one in ordered for _ in one.winners],
                )
                if ordered
                else None,
                "between_orders": cohen_kappa(
                    [one.winners[0] for one in ordered], [one.winners[1] for one in ordered]
                )
                if ordered
                else None,
            },
        },
    )


def _parts(judged: Sequence[Judged]) -> list[tuple[str, Sequence[Judged]]]:
    """All pairs, called "", and those of each subset."""
    parts: list[tuple[str, Sequence[Judged]]] = [("", judged)]
    for subset in dict.fromkeys(one.key[0] for one in judged):
        parts.append((subset, [one for one in judged if one.key[0] == subset]))
    return parts


def _named(figure: str, subset: str) -> str:
    """accuracy/given-order of Natural is accuracy/Natural/given-order."""
    return "/".join([*figure.split("/")[:1], *([subset] if subset else []), *figure.split("/")[1:]])


def _metrics(judged: Sequence[Judged]) -> dict[str, Interval]:
    whole = [one for one in judged if None not in one.winners]
    found = {
        ACCURACY: _mean([(one.key, w == one.label) for one in judged for w in one.winners if w]),
        f"{ACCURACY}/given-order": _mean(
            [(one.key, one.winners[0] == one.label) for one in judged if one.winners[0]]
        ),
        f"{ACCURACY}/swapped": _mean(
            [(one.key, one.winners[1] == one.label) for one in judged if one.winners[1]]
        ),
        f"{ACCURACY}/both-orders": _mean(
            [(one.key, one.winners == (one.label, one.label)) for one in whole]
        ),
        "orders_agree": _mean([(one.key, one.winners[0] == one.winners[1]) for one in whole]),
    }
    return {name: interval for name, interval in found.items() if interval is not None}


def _mean(values: Sequence[tuple[Key, bool]]) -> Interval | None:
    if not values:
        return None
    return mean_interval(
        [100.0 * correct for _, correct in values], [key for key, _ in values], bounds=_PERCENT
    )


def _official(judged: Sequence[Judged]) -> dict[str, Official]:
    """LLMBar's statistics.json, accuracies in percent."""
    n = len(judged)
    given = sum(one.winners[0] == one.label for one in judged)
    swapped = sum(one.winners[1] == one.label for one in judged)
    both = sum(one.winners == (one.label, one.label) for one in judged)
    equal = sum(one.winners[0] == one.winners[1] for one in judged)
    labels = [int(one.label) for one in judged]
    codes = [[official_code(one.winners[order]) for one in judged] for order in (0, 1)]
    kappas = {
        "kappa/given-order": ("kappa_False", cohen_kappa(codes[0], labels)),
        "kappa/swapped": ("kappa_True", cohen_kappa(codes[1], labels)),
        "kappa/between-orders": ("kappa_agreement", cohen_kappa(codes[0], codes[1])),
    }
    one, other = kappas["kappa/given-order"][1], kappas["kappa/swapped"][1]
    if one is not None and other is not None:
        kappas["kappa"] = ("kappa_average", (one + other) / 2)
    values = {
        ACCURACY: ("correct_average", (given + swapped) / 2 / n * 100),
        f"{ACCURACY}/given-order": ("correct_False", given / n * 100),
        f"{ACCURACY}/swapped": ("correct_True", swapped / n * 100),
        f"{ACCURACY}/both-orders": ("correct_both", both / n * 100),
        "orders_agree": ("equal", equal / n * 100),
        **kappas,
    }
    return {
        name: Official(value, None, None, (_KAPPA_RULE if name in kappas else _RULE).format(field))
        for name, (field, value) in values.items()
        if value is not None
    }


def _compare(judges: Mapping[str, Sequence[Judged]]) -> tuple[Comparison, ...]:
    """Judges on the pairs and orders on which both gave a verdict."""
    values = {
        name: {
            (one.key, order): 100.0 * (winner == one.label)
            for one in judged
            for order, winner in enumerate(one.winners)
            if winner is not None
        }
        for name, judged in judges.items()
    }
    items = list(dict.fromkeys(item for own in values.values() for item in own))
    table = np.array([[own.get(item, np.nan) for item in items] for own in values.values()])
    found = compare_all(list(values), table, [key for key, _ in items], _PERCENT)
    return comparisons_of(ACCURACY, found)


def _percent(values: Sequence[bool]) -> float | None:
    return 100 * sum(values) / len(values) if values else None
