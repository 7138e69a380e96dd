"""The alpaca-eval package's own length-controlled metric, held to local files.

As it stands the metric downloads two files from a hub, appends to a CSV file inside its own
package, and switches a setting of scikit-learn on for the whole process. Here it gets the files it
is given, writes nothing, and leaves the process as it was.
"""

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from evaluation.alpaca_eval.folds import OFFICIAL, Order, split_tied
from evaluation.statistics import Array

#: The metric's name of the model behind the leaderboard's length-controlled win rate.
GLM = "length_controlled_v1"

#: Names of the package's module are replaced for the time of a call: one call at a time.
_LOCK = threading.Lock()


@dataclass(frozen=True)
class OfficialFit:
    """What the package computed.

    Attributes:
        value: length-controlled win rate in percent.
        standard_error: as the package gives it: of the model's predictions, in points.
        C: chosen by its cross-validation.
        grid: (10,) of C.
        losses: (10,) mean log loss over the folds at each C.
        weights: (3,) of tanh(std_delta_len), instruction_difficulty, not_gamed_baseline.
        path: (10,) the value that each C would have given, fitted in the same way.
    """

    value: float
    standard_error: float
    C: float
    grid: Array
    losses: Array
    weights: Array
    path: Array


def official_fit(
    preference: Array,
    length_1: NDArray[np.int64],
    length_2: NDArray[np.int64],
    df_gamed: Path,
    *,
    index: NDArray[np.int64] | None = None,
    order: Order = OFFICIAL,
) -> OfficialFit:
    """The metric as the package computes it.

    Args:
        preference: (n,) in [1, 2]; NaN where there is none.
        length_1: (n,) characters of the baseline's answers.
        length_2: (n,) of the model's.
        df_gamed: the file of that name.
        index: (n,) the instruction of each row, by which its difficulty is found; None takes the
            row's position for it, which is what the package does with files in its own format
            (and wrong where a row is absent).
        order: of ties in the cross-validation's folds.
    """
    glm_winrate = quietly("alpaca_eval.metrics.glm_winrate")
    # The metric reads nothing of the texts but their length.
    rows = [
        {
            "preference": float(p),
            "generator_1": "baseline",
            "generator_2": "model",
            "annotator": "judge",
            "output_1": "x" * int(a),
            "output_2": "x" * int(b),
        }
        for p, a, b in zip(preference, length_1, length_2, strict=True)
    ]
    if index is not None:
        for row, own in zip(rows, index, strict=True):
            row["index"] = int(own)
    fits: list[_Fit] = []
    with _contained(glm_winrate, df_gamed, order, fits):
        found = glm_winrate.get_length_controlled_winrate(
            rows,
            glm_name=GLM,
            save_weights_dir=None,
            is_add_glm_preference_inplace=False,
            is_warn_extreme_changes=False,
        )
        (fit,) = fits
        path = _refits(fit)
    features = fit.test
    scores = np.asarray(fit.model.scores_[1]).reshape(-1, len(fit.model.Cs_))
    return OfficialFit(
        value=float(found["length_controlled_winrate"]),
        standard_error=float(found["lc_standard_error"]),
        C=float(fit.model.C_[0]),
        grid=np.asarray(fit.model.Cs_, dtype=np.float64),
        losses=-scores.mean(axis=0),
        weights=np.asarray(fit.model.coef_[0], dtype=np.float64),
        path=np.array([100 * float(_logistic(features @ w).mean()) for w in path]),
    )


def extreme(win_rate: float, controlled: float) -> bool:
    """Whether the package warns that its model may have failed."""
    module = quietly("alpaca_eval.metrics.glm_winrate")
    return bool(module.get_is_extreme_changes(win_rate, controlled))


def quietly(module: str) -> Any:
    """A module of the package, without the warnings about packages that it itself imports.

    Nor does the root logger stay open for every message of every library, as the package sets it.
    """
    root = logging.getLogger()
    level = root.level
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(module)
    finally:
        root.setLevel(level)


class Silence:
    """In place of the package's ``logging``, which prints rows and whole replies to stderr."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None


@dataclass(frozen=True)
class _Fit:
    """One fit of the package: the model, its rows, and the rows it predicts (length removed)."""

    model: Any
    data: Any
    column: str
    weight: Any
    test: Array


def _refits(fit: _Fit) -> list[Array]:
    """(3,) weights at each C of the grid, on all rows, as cross-validation's last fit has them.

    The package's own function would copy its tables ten times more for the same.
    """
    from sklearn.linear_model import LogisticRegression

    once = np.asarray(fit.data.drop(columns=[fit.column]), dtype=np.float64)
    p, weight = (np.asarray(own, dtype=np.float64) for own in (fit.data[fit.column], fit.weight))
    X, y = np.concatenate([once, once]), np.repeat([1, 0], len(once))
    times = np.concatenate([p * weight, (1 - p) * weight])
    settings = fit.model.get_params()
    shared = {
        name: settings[name]
        for name in ("penalty", "dual", "tol", "solver", "fit_intercept", "random_state")
    }
    return [
        LogisticRegression(C=C, **shared).fit(X, y, sample_weight=times).coef_[0]
        for C in fit.model.Cs_
    ]


@contextmanager
def _contained(module: Any, df_gamed: Path, order: Order, fits: list[_Fit]) -> Iterator[None]:
    """The package's module with local files and reproducible folds; fits are kept in ``fits``."""
    import sklearn
    from sklearn.model_selection import GroupKFold

    class Folds(GroupKFold):  # type: ignore[misc]
        def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
            return split_tied(np.asarray(groups), self.n_splits, order)

    original, original_design = module.fit_LogisticRegressionCV, module.make_dmatrix_for_model
    tests: list[Array] = []

    def fit(data: Any, col_y_true: str, **kwargs: Any) -> Any:
        model = original(data, col_y_true, **kwargs)
        fits.append(_Fit(model, data, col_y_true, kwargs["sample_weight"], tests.pop()))
        return model

    def design(*arguments: Any, **kwargs: Any) -> Any:
        train, test = original_design(*arguments, **kwargs)
        tests.append(np.asarray(test, dtype=np.float64))
        return train, test

    def local_file(*, filename: str, **_: Any) -> str:
        if filename != "df_gamed.csv":
            raise ValueError(f"the metric asks for a file that nobody planned: {filename}")
        return str(df_gamed)

    with (
        _LOCK,
        sklearn.config_context(),
        warnings.catch_warnings(),
        patch.object(module, "logging", Silence()),
        patch.object(quietly("alpaca_eval.metrics.helpers"), "logging", Silence()),
        patch.object(module, "hf_hub_download", local_file),
        patch.object(module, "GroupKFold", Folds),
        patch.object(module, "fit_LogisticRegressionCV", fit),
        patch.object(module, "make_dmatrix_for_model", design),
    ):
        warnings.simplefilter("ignore")  # of arguments that scikit-learn is about to rename
        yield


def _logistic(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))
