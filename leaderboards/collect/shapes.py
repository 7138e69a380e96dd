"""What a run's manifest and settings must look like before anything reads them.

Both are sealed together, so that what is wrong in them was wrong from the start, or was changed by
somebody who mended the hash too. Only what boards read is looked at.
"""

from collections.abc import Mapping
from typing import Any

from mnpo.errors import DamagedRun
from mnpo.printable import shown

_WORDS: Mapping[Any, str] = {
    dict: "keys and values",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
}
#: Key of the manifest -> its type; parts of it under dotted keys, "*" for every part.
_MANIFEST: Mapping[str, Any] = {
    "outputs": dict,
    "outputs.*": str,
    "inputs": dict,
    "environment": dict,
    "environment.versions": dict,
    "seconds": float,
    "started": str,
    "finished": str,
    "device": str,
}
_OF_KIND: Mapping[str, Mapping[str, Any]] = {
    "training": {
        "start": str,
        "data": dict,
        "data.hashes": dict,
        "annotators": list,
        "failed": list,
        "failed.*": dict,
    },
    "evaluation": {"failures": list, "failures.*": str, "generated": dict, "generated.*": dict},
    "simulation": {"games": list},
}
_CONFIG: Mapping[str, Mapping[str, Any]] = {
    "training": {
        "recipe": str,
        "model": dict,
        "methods": dict,
        "seeds": list,
        "seeds.*": int,
        "sampling": dict,
        "budget": dict,
    },
    "evaluation": {
        "models": list,
        "models.*": dict,
        "models.*.name": str,
        "benchmarks": list,
        "benchmarks.*": str,
        "judges": list,
        "judges.*": dict,
        "answers": dict,
        "cross_play": dict,
        "alpaca_eval": dict,
        "mt_bench": dict,
        "lm_eval": dict,
        "repeats": int,
    },
    "simulation": {"iterations": int, "algorithms": list},
    "suite": {"suite": str},
}
#: Settings that say "none", or stand at their default, by null.
_MAY_BE_NULL = frozenset({"judges", "cross_play", "alpaca_eval", "mt_bench", "lm_eval", "answers"})
_NEEDED: Mapping[str, tuple[str, ...]] = {"evaluation": ("models.*.name",)}


def require_shape(
    where: str, kind: str, config: Mapping[str, Any], manifest: Mapping[str, Any]
) -> None:
    """Refuse what is of another type than every run of this kind writes.

    Args:
        where: the run, for the message.
        kind: of the run.
        config: ``run.yaml``.
        manifest: ``manifest.json``.

    Raises:
        DamagedRun: the message names the first key that is wrong.
    """
    for file, value, shapes in (
        ("manifest.json", manifest, {**_MANIFEST, **_OF_KIND.get(kind, {})}),
        ("run.yaml", config, _CONFIG.get(kind, {})),
    ):
        for key, expected in shapes.items():
            needed = file == "run.yaml" and key in _NEEDED.get(kind, ())
            may_be_null = file == "run.yaml" and key in _MAY_BE_NULL
            for path, found in _found(value, key.split("."), needed=needed):
                if found is None and may_be_null:
                    continue
                if not _is(found, expected):
                    raise DamagedRun(
                        f"{where}: {file}: {path} must be {_WORDS[expected]}, got "
                        f"{shown(found, 40)}; run the command again"
                    )


def _found(value: Any, parts: list[str], *, needed: bool) -> list[tuple[str, Any]]:
    """The values under a key, each with its whole name; none where it is absent."""
    here = [("", value)]
    for part in parts:
        below: list[tuple[str, Any]] = []
        for path, own in here:
            if part == "*":
                items = own.items() if isinstance(own, Mapping) else enumerate(own or ())
                below += [(f"{path}.{name}", inner) for name, inner in items]
            elif isinstance(own, Mapping) and (part in own or needed):
                below.append((f"{path}.{part}".lstrip("."), own.get(part)))
        here = below
    return here


def _is(value: Any, expected: Any) -> bool:
    if isinstance(value, bool):
        return False
    if expected is float:
        return isinstance(value, int | float)
    return isinstance(value, expected)
