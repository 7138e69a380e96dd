"""Configurations as people write them: YAML with numbers that are numbers, and key=value texts."""

import contextlib
import re
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from mnpo.errors import InvalidSetting
from mnpo.printable import shown

_FRACTION = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/(?:\d+\.?\d*|\.\d+)$")
#: What a text may hold, written out, per character of it where anchors repeat parts.
_REPEATED, _ALLOWANCE = 10, 100_000
#: libyaml crashes on what is nested without end: where that could be, it is not asked.
_BRACKETS, _DEEP = 500, re.compile(r"^(?: {200}|(?:[ \t]*[-?][ \t]+){50})", re.MULTILINE)
_Loaders: TypeAlias = "type[yaml.SafeLoader] | type[yaml.CSafeLoader]"


class _Loader(yaml.SafeLoader):
    """YAML whose numbers are numbers: version 1.1 takes 1e-3 and 1/3 for texts.

    A key that stands twice in one mapping is an error; plain YAML drops the first silently.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key}' is given twice", key_node.start_mark
                )
            if isinstance(key, Hashable):
                seen.add(key)
        return super().construct_mapping(node, deep)


def _fraction(loader: _Loader, node: yaml.ScalarNode) -> float | str:
    text = str(node.value)
    numerator, _, denominator = text.partition("/")
    try:
        return float(numerator) / float(denominator)
    except ZeroDivisionError:
        return text


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)
_Loader.add_implicit_resolver("!fraction", _FRACTION, list("-+.0123456789"))
_Loader.add_constructor("!fraction", _fraction)


def load_yaml(text: str) -> Any:
    """The value of a YAML text.

    Raises:
        yaml.YAMLError: broken YAML, a key that is given twice, lists in lists without end, anchors
            that hold themselves or repeat too much, or digits that no number has.
    """
    return _load(text, _Loader)


def load_written(text: str) -> Any:
    """The value of a YAML text that `mnpo.runs.directory.dump_yaml` wrote, e.g. ``run.yaml``.

    Words stay as they were written: plain YAML 1.1, in which 1e-3 is a text.

    Raises:
        yaml.YAMLError: as `load_yaml`, but for keys that are given twice.
    """
    shallow = text.count("[") + text.count("{") < _BRACKETS and not _DEEP.search(text)
    quick = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _load(text, quick if shallow else yaml.SafeLoader)


def _load(text: str, kind: _Loaders) -> Any:
    try:
        loader = kind(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            if _length(node, {}) > _REPEATED * len(text) + _ALLOWANCE:
                raise yaml.YAMLError("its anchors repeat too much; write it out")
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None
    except ValueError as error:  # of a number or a date
        raise yaml.YAMLError(str(error)) from None


def _length(node: yaml.Node, known: dict[int, int | None]) -> int:
    """Characters and values of a node with its anchors written out.

    Args:
        node: of a graph, in which an anchor's node is met once for each alias.
        known: lengths by id; None while a node is being measured.
    """
    if isinstance(node, yaml.ScalarNode):
        return len(node.value) + 1
    if id(node) in known:
        before = known[id(node)]
        if before is None:
            raise yaml.YAMLError("an anchor holds itself")
        return before
    known[id(node)] = None
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    else:
        parts = node.value
    known[id(node)] = total = 1 + sum(_length(part, known) for part in parts)
    return total


def read_yaml_file(file: Path, called: str) -> dict[str, Any]:
    """The keys and values of a configuration file.

    Args:
        file: YAML with a mapping at its top.
        called: how messages call it.

    Raises:
        InvalidSetting: it cannot be read, or is no such YAML.
    """
    try:
        loaded = load_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSetting(f"{called}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidSetting(f"{called} is not YAML: not a text file") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InvalidSetting(f"{called} is not YAML: {line}{error.problem}") from None
    except yaml.YAMLError as error:
        raise InvalidSetting(f"{called} is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(loaded, dict):
        raise InvalidSetting(f"{called} must hold keys and values, as run.yaml does")
    return {str(key): value for key, value in loaded.items()}


def read_assignments(items: Iterable[str], option: str = "--set") -> dict[str, Any]:
    """``key=value`` texts as a mapping; values are read as YAML (numbers, lists, true, text).

    Raises:
        InvalidSetting: a text without "=", an empty key, a key given twice, or broken YAML.
    """
    result: dict[str, Any] = {}
    for item in items:
        key, separator, text = item.partition("=")
        key = key.strip()
        if not separator or not key:
            raise InvalidSetting(f"{option} takes key=value, got '{item}'")
        if key in result:
            raise InvalidSetting(f"{option} {key} is given twice")
        result[key] = read_value(text, f"{option} {key}")
    return result


def read_value(text: str, where: str) -> Any:
    """One value: YAML, and as papers print them fractions, 1/3, and lists of numbers, 0.6,0.4.

    Raises:
        InvalidSetting: broken YAML.
    """
    if "," in text:
        with contextlib.suppress(ValueError):
            return [float(part) for part in text.split(",")]
    try:
        return load_yaml(text)
    except yaml.YAMLError:
        raise InvalidSetting(f"{where}: cannot read {shown(text)} as a value") from None


def assign(values: dict[str, Any], dotted: str, value: Any) -> None:
    """Set one nested value in place; mappings on the way are made where there are none.

    Args:
        values: nested keys and values.
        dotted: where, e.g. "optimizer.learning_rate"; numbers count through lists.
        value: what.

    Raises:
        InvalidSetting: the way leads through a value that has no parts.
    """
    parts = dotted.split(".")
    here: Any = values
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(here, list):
            if not part.isdigit() or int(part) >= len(here):
                where = ".".join(parts[:depth])
                raise InvalidSetting(
                    f"--set {dotted}: {where} is a list of {len(here)}; give a number below that"
                )
            index: Any = int(part)
        elif isinstance(here, dict):
            index = part
            here.setdefault(part, None)
        else:
            where = ".".join(parts[:depth])
            raise InvalidSetting(f"--set {dotted}: {where} is {here!r} and has no '{part}'")
        if last:
            here[index] = value
        elif here[index] is None:
            here[index] = {}
        here = here[index]
