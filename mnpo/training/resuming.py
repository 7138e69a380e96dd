"""Which settings may change while a run goes on in its folder.

They split the same work another way, or say where and how patiently it is done: after running out
of memory, or when a server has moved, the same run is to go on with other ones. Results move by
rounding at most. Stages leave them out of their keys, folders out of their names. How policies are
evaluated changes nothing about their training either.
"""

from collections.abc import Mapping
from typing import Any

#: Section of the recipe -> its settings that may change.
FREE: dict[str, frozenset[str]] = {
    "model": frozenset({"gradient_checkpointing"}),
    "sampling": frozenset({"batch_size"}),
    "optimizer": frozenset({"micro_batch_tokens", "save_steps"}),
}
#: The same of a server that samples, and of a judge, wherever it stands among the oracles.
_SERVER = frozenset({"command", "url", "api_key_env", "health", "start_timeout", "concurrency"})
_JUDGE = frozenset(
    {"api_key_env", "concurrency", "timeout", "retries", "first_wait", "max_wait", "re_asks"}
)
_ORACLES = ("oracle", "annotators")
#: What no training depends on.
_NO_TRAINING = frozenset({"report_to", "evaluation"})


def what_counts(config: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved recipe without the settings that may change.

    Args:
        config: as ``run.yaml`` holds it; one that somebody edited is taken as it comes.
    """
    kept = {key: value for key, value in config.items() if key not in _NO_TRAINING}
    for section, free in FREE.items():
        kept[section] = _without(kept.get(section), free)
    if isinstance(kept["sampling"], Mapping):
        server = _without(kept["sampling"].get("server"), _SERVER)
        kept["sampling"] = {**kept["sampling"], "server": server}
    for key in _ORACLES:
        kept[key] = _patient(kept.get(key))
    return kept


def _without(section: Any, free: frozenset[str]) -> Any:
    if not isinstance(section, Mapping):
        return section
    return {key: value for key, value in section.items() if key not in free}


def _patient(oracle: Any) -> Any:
    """An oracle's settings, or a list of them, without the patience of the judges in it."""
    if isinstance(oracle, list | tuple):
        return [_patient(inner) for inner in oracle]
    if not isinstance(oracle, Mapping):
        return oracle
    free = _JUDGE if oracle.get("kind") == "judge" else frozenset()
    return {key: _patient(value) for key, value in oracle.items() if key not in free}
