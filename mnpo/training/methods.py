"""What can be trained on a language model: the algorithm values, and stand-alone pair losses.

An algorithm's updates say everything the loop needs. The losses of MNPO's Table 9 that are no
members of the family stand beside them as extra rows: one named loss of `mnpo.losses`, on pairs
from the reference or from the current policy. Methods without an honest language-model form are
refused with the reason.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from mnpo.algorithms import Algorithm, get_algorithm, list_algorithms
from mnpo.algorithms.registry import find_entry
from mnpo.algorithms.sources import CURRENT, REFERENCE, Geometric, Solution
from mnpo.algorithms.update import Update
from mnpo.errors import InvalidSetting, suggest


@dataclass(frozen=True)
class PairLoss:
    """A loss of `mnpo.losses` on its own, for pairs from one sampler.

    Attributes:
        loss: name in `mnpo.losses.LOSSES`.
        settings: its hyper-parameters.
        sampler: where its pairs come from: "reference" (the classical offline setting) or
            "current".
    """

    loss: str
    settings: Mapping[str, Any]
    sampler: Literal["reference", "current"] = "reference"


@dataclass(frozen=True)
class Method:
    """One row of a run: exactly one of ``algorithm`` and ``pair_loss`` is given.

    Attributes:
        name: what the recipe and the tables call it.
        algorithm: a value of `mnpo.algorithms`.
        pair_loss: a stand-alone loss.
    """

    name: str
    algorithm: Algorithm | None = None
    pair_loss: PairLoss | None = None

    def updates(self, iteration: int) -> tuple[Update, ...]:
        """The updates of iteration t; a pair loss is one update around the reference."""
        if self.algorithm is not None:
            return self.algorithm.updates(iteration)
        assert self.pair_loss is not None
        sampler = REFERENCE if self.pair_loss.sampler == "reference" else CURRENT
        return (Update(anchors=((REFERENCE, 1.0),), opponents=((sampler, 1.0),), step_size=1.0),)

    def players(self, annotators: int) -> int:
        """Number of policies trained side by side.

        Args:
            annotators: oracles that the recipe names for heterogeneous methods.

        Raises:
            InvalidSetting: a heterogeneous method without an oracle for each player.
        """
        if self.algorithm is None:
            return 1
        if not self.algorithm.heterogeneous:
            assert self.algorithm.players is not None
            return self.algorithm.players
        if annotators < 2:
            raise InvalidSetting(
                f"{self.name} gives each player a preference oracle of its own; name at least two "
                "under annotators"
            )
        if self.algorithm.players not in (None, annotators):
            raise InvalidSetting(
                f"{self.name}: num_players is {self.algorithm.players} and the recipe has "
                f"{annotators} annotators; they must agree"
            )
        return annotators

    @property
    def heterogeneous(self) -> bool:
        """Whether player i asks annotator i."""
        return self.algorithm is not None and self.algorithm.heterogeneous

    @property
    def magnet_period(self) -> int | None:
        """Iterations between two refreshes of the magnet."""
        return None if self.algorithm is None else self.algorithm.magnet_period

    def describe(self) -> dict[str, Any]:
        """JSON-ready, for hashes, manifests and model cards."""
        if self.algorithm is not None:
            own = {"algorithm": self.algorithm.name, "parameters": self.algorithm.parameters()}
            return {"method": self.name, **own}
        assert self.pair_loss is not None
        loss = self.pair_loss
        return {
            "method": self.name,
            "loss": loss.loss,
            "parameters": dict(loss.settings) | {"sampler": loss.sampler},
        }


@dataclass(frozen=True)
class _Row:
    """A pair loss as a method: the loss, and its settings' defaults."""

    loss: str
    defaults: Mapping[str, float | str | bool]


#: Settings are the losses' own keyword arguments (docs/losses.md); the defaults are each paper's
#: usual choice, rescaled to nothing.
_PAIR_LOSSES: Mapping[str, _Row] = {
    "ipo-average": _Row("ipo", {"temperature": 0.1, "per_token": True}),
    "simpo": _Row("simpo", {"scale": 2.0, "target_margin": 1.0}),
    "f-dpo": _Row("f-dpo", {"scale": 0.1, "divergence": "jensen-shannon"}),
    "r-dpo": _Row("r-dpo", {"scale": 0.1, "length_penalty": 0.01}),
    "distill-dpo": _Row("distill-dpo", {"scale": 0.1}),
    "kto": _Row("kto", {"scale": 0.1}),
    "slic-hf": _Row("slic-hf", {"target_margin": 1.0, "likelihood_weight": 0.1}),
    "rrhf": _Row("rrhf", {"likelihood_weight": 1.0}),
    "cpo": _Row("cpo", {"scale": 0.1, "likelihood_weight": 1.0}),
    "orpo": _Row("orpo", {"odds_weight": 0.1}),
}

#: Why an algorithm of the simulator has no form here.
_NO_FORM: Mapping[str, str] = {
    "nash-ema": (
        "the paper averages network parameters, the simulator logits; neither is the other on a "
        "language model, so it is not offered"
    ),
}


def list_methods() -> tuple[str, ...]:
    """Names of everything that can be trained, algorithms first."""
    algorithms = (e.name for e in list_algorithms() if e.name not in _NO_FORM)
    return (*algorithms, *_PAIR_LOSSES)


def get_method(name: str, parameters: Mapping[str, Any] | None = None) -> Method:
    """The method of a name.

    Args:
        name: an algorithm's registry name or alias, or a pair loss of Table 9.
        parameters: an algorithm's, in either vocabulary; or the loss's settings, and
            ``sampler`` ("reference" or "current").

    Raises:
        InvalidSetting: unknown name or parameter, a value out of range, or no honest
            language-model form.
    """
    given = dict(parameters or {})
    if name in _PAIR_LOSSES:
        return _pair_loss(name, given)
    if not _is_algorithm(name):
        raise InvalidSetting(f"unknown method '{name}'{suggest(name, list_methods())}")
    own = find_entry(name).name
    if own in _NO_FORM:
        raise InvalidSetting(f"{name} has no form on language models: {_NO_FORM[own]}")
    if own == "onpo":
        given.setdefault("form", "two-sequence")
    algorithm = get_algorithm(name, **given)
    _require_a_form(name, algorithm)
    return Method(name=name, algorithm=algorithm)


def known_parameters(name: str) -> frozenset[str]:
    """Parameters that ``method_defaults`` may give to a method, in the common convention.

    Left out are those that it does not read, and those that its name presets (the variant of
    dpo-online). The schedule is 2/(temperature (t + 2)): only methods that read both the step
    and the temperature get it by default.
    """
    if name in _PAIR_LOSSES:
        return frozenset({*_settings_of(_PAIR_LOSSES[name]), "sampler"})
    if not _is_algorithm(name):
        return frozenset()
    entry = find_entry(name)
    unread = {"step_size", "temperature"} - entry.kind.reads
    if unread:
        unread |= {"schedule"}
    return frozenset(f.name for f in fields(entry.kind)) - unread - set(entry.preset)


def _is_algorithm(name: str) -> bool:
    """Whether the registry knows the name or alias."""
    try:
        find_entry(name)
    except InvalidSetting:
        return False
    return True


def _require_a_form(name: str, algorithm: Algorithm) -> None:
    """Refuse implicit steps, and opponents that are no distribution: neither can be sampled."""
    for update in (*algorithm.updates(1), *algorithm.updates(0)):
        if any(isinstance(source, Solution) for source, _ in update.opponents):
            raise InvalidSetting(
                f"{name}: an exact proximal step has no form on language models; set inner to a "
                "number of steps between two refreshes of the reference"
            )
        if algorithm.slug == "onpo" and any(weight < 0 for _, weight in update.opponents):
            raise InvalidSetting(
                f"{name}: the advantage extrapolates, and no pairs can be sampled from that; set "
                "form=two-sequence"
            )
        mixtures = [s.parts for s, _ in update.opponents if isinstance(s, Geometric)]
        for mixture in (update.opponents, *mixtures):
            weights = [float(weight) for _, weight in mixture]
            if any(w < 0 for w in weights) or (weights and not math.isclose(sum(weights), 1)):
                raise InvalidSetting(
                    f"{name}: its opponents get the weights {weights}, and no pairs can be "
                    "sampled from that; keep step_size * temperature at most 1"
                )


def _pair_loss(name: str, given: dict[str, Any]) -> Method:
    row = _PAIR_LOSSES[name]
    sampler = given.pop("sampler", "reference")
    if sampler not in ("reference", "current"):
        raise InvalidSetting(f"{name}: sampler must be reference or current, got {sampler!r}")
    known = _settings_of(row)
    for key, value in given.items():
        if key not in known:
            raise InvalidSetting(
                f"{name}: unknown parameter '{key}'{suggest(key, [*known, 'sampler'])}"
            )
        if key == "divergence":
            if value not in DIVERGENCES:
                raise InvalidSetting(
                    f"{name}: divergence must be one of {', '.join(DIVERGENCES)}, got {value!r}"
                )
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidSetting(f"{name}: {key} must be a number, got {value!r}")
        elif not math.isfinite(value):
            raise InvalidSetting(f"{name}: {key} must be a finite number, got {value}")
    loss = PairLoss(row.loss, {**row.defaults, **given}, sampler)
    return Method(name=name, pair_loss=loss)


#: Settings of the losses in `_PAIR_LOSSES`, held against `mnpo.losses` by a test (importing the
#: losses would load torch).
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "ipo": ("temperature",),
    "simpo": ("scale", "target_margin"),
    "f-dpo": ("scale", "divergence", "alpha"),
    "r-dpo": ("scale", "length_penalty"),
    "distill-dpo": ("scale",),
    "kto": ("scale", "desirable_weight", "undesirable_weight"),
    "slic-hf": ("target_margin", "likelihood_weight"),
    "rrhf": ("likelihood_weight",),
    "cpo": ("scale", "likelihood_weight"),
    "orpo": ("odds_weight",),
}
#: Names that f-dpo's divergence takes, held against `mnpo.losses` likewise.
DIVERGENCES = ("reverse-kl", "forward-kl", "jensen-shannon", "alpha")


def _settings_of(row: _Row) -> tuple[str, ...]:
    return SETTINGS[row.loss]
