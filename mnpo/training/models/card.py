"""The model card of a trained policy: where it comes from, whole and without secrets."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import yaml

#: Keys whose values may hold a secret: commands carry keys, addresses passwords.
_PRIVATE_KEY = re.compile(
    r"(^|_)(command|commands|arguments|argv|environ|env|headers|password|secret|token|credentials)$"
    r"|(^|_)api_?key$",
    re.IGNORECASE,
)
#: Names of environment variables whose values are never written.
_PRIVATE_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
#: How keys of well-known services look (OpenAI and its kin, Hugging Face, GitHub, Google), alone or
#: as a word of a text; not as part of a path.
_KEY_HEAD = re.compile(r"sk-|hf_|gh[pousr]_|AIza")
_KEY = re.compile(
    r"""(?:^|[\s"'=:,])(?:sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{36,}"""
    r"""|AIza[A-Za-z0-9_-]{35})(?:$|[\s"',;])"""
)
_USER_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+@")
HIDDEN = "(not recorded)"


@dataclass(frozen=True)
class ModelCard:
    """What a reader needs to judge and repeat a checkpoint.

    Attributes:
        title: heading.
        algorithm: the method's name, "none" for an untrained model.
        base_model: name of the model it started from; of a local folder only the last part.
        base_sha256: that model's hash.
        summary: a sentence or two.
        parameters: the method's, in the common convention.
        recipe: the resolved recipe.
        data: name -> sha256 of the files.
        ledger: what was spent: prompts, samples, queries, steps, tokens.
        versions: of the libraries.
        license: of the weights, where known.
    """

    title: str
    algorithm: str
    base_model: str
    base_sha256: str | None = None
    summary: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    ledger: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    license: str | None = None

    def text(self) -> str:
        """README.md: a YAML head as model hubs read it, then the same for people.

        Values of environment variables named like keys, commands, and names and passwords in
        addresses are left out.
        """
        base = self.base_model
        base = Path(base).name if Path(base).is_absolute() or base.startswith((".", "~")) else base
        head: dict[str, Any] = {
            "library_name": "transformers",
            "pipeline_tag": "text-generation",
            "base_model": base,
            "tags": ["mnpo-bench", "preference-optimisation", self.algorithm],
        }
        if self.license:
            head["license"] = self.license
        about = {"algorithm": self.algorithm, "base model": base}
        if self.base_sha256:
            about["base model's sha256"] = self.base_sha256
        parts = [f"---\n{_yaml(head)}---\n\n# {without_secrets(self.title)}\n"]
        if self.summary:
            parts.append(f"{without_secrets(self.summary)}\n")
        parts.append("".join(f"- {key}: {value}\n" for key, value in about.items()))
        for heading, content in (
            ("Parameters", self.parameters),
            ("What it cost", self.ledger),
            ("Data (sha256)", self.data),
            ("Recipe", self.recipe),
            ("Versions", self.versions),
        ):
            if content:
                body = _yaml(without_secrets(dict(content)))
                parts.append(f"## {heading}\n\n```yaml\n{body}```\n")
        return "\n".join(parts)


def without_secrets(value: Any) -> Any:
    """The value with everything that may be a secret replaced; numbers stay as they are.

    Replaced are the values under keys such as ``command`` or ``api_key``, the values of
    environment variables named like keys wherever they occur in a text, and what stands before
    the @ of an address. ``api_key_env`` stays: it is a variable's name.
    """
    return _clean(value, sorted(_private().values(), key=len, reverse=True))


def find_secret(value: Any) -> str | None:
    """What secret stands in a JSON-ready value, in words that do not repeat it; None where none.

    Looked for are the values of environment variables that an ``api_key_env`` of the value names
    or that are named like keys (those that hold a path say where a secret is, and are passed
    over), and what has the form of a provider's key.
    """
    text = json.dumps(value)
    named = {name: os.environ.get(name, "").strip() for name in _named_variables(value)}
    likely = {name: own for name, own in _private().items() if own[0] not in "/.~"}
    for name, content in (likely | named).items():
        if len(content) >= 8 and json.dumps(content)[1:-1] in text:
            return f"the value of the environment variable {name}"
    key = next((own for own in _texts(value) if _KEY.search(own)), None)
    return None if key is None else f"what looks like a key ({_KEY_HEAD.findall(key)[0]}...)"


def _named_variables(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "api_key_env" and isinstance(inner, str):
                yield inner
            else:
                yield from _named_variables(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named_variables(inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _private() -> dict[str, str]:
    """Variables named like keys, and what they hold."""
    return {
        name: content
        for name, content in os.environ.items()
        if _PRIVATE_VARIABLE.search(name) and len(content) >= 6
    }


def _clean(value: Any, private: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN
            if _PRIVATE_KEY.search(str(key)) and not str(key).endswith("_env") and inner is not None
            else _clean(inner, private)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean(inner, private) for inner in value]
    if isinstance(value, str):
        for secret in private:
            value = value.replace(secret, HIDDEN)
        return _USER_IN_ADDRESS.sub("", value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Real):  # numpy's too, which YAML does not know
        return int(value) if isinstance(value, Integral) else float(value)
    return _clean(str(value), private)


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
