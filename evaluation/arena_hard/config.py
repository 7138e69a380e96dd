"""The judge's settings and prompts, read from the benchmark's own files."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evaluation.arena_hard.verdicts import Rule
from evaluation.rows import read_text
from mnpo.errors import UserError

#: The name under which `judge_utils.py` holds system prompt and baseline of each category.
SETTINGS = "JUDGE_SETTINGS"


@dataclass(frozen=True)
class JudgeConfig:
    """A judge configuration of either generation.

    Attributes:
        bench_name: the benchmark it is for.
        judge: the official judge model.
        temperature, max_tokens: of its replies.
        patterns: regular expressions of the verdict, the first that matches decides.
        rule: how the code of that generation reads several matches.
        attempts: how often the official code asks for a verdict; 1 where it asks once.
        template: of the user's turn.
        system_prompt: for all categories; None where it is kept elsewhere.
        baseline: the model compared with; None where it is kept elsewhere.
        current: whether it has the format of 2025.
    """

    bench_name: str
    judge: str
    temperature: float
    max_tokens: int
    patterns: tuple[str, ...]
    rule: Rule
    attempts: int
    template: str
    system_prompt: str | None
    baseline: str | None
    current: bool

    @property
    def parameters(self) -> dict[str, Any]:
        """Of the request."""
        return {"temperature": self.temperature, "max_tokens": self.max_tokens}


@dataclass(frozen=True)
class CategoryPrompt:
    """How one category is judged.

    Attributes:
        system_prompt: the judge's.
        baseline: the model compared with.
    """

    system_prompt: str
    baseline: str


def read_config(path: Path) -> JudgeConfig:
    """A judge configuration, JSON or YAML.

    Raises:
        UserError: it is neither, or a setting is missing or of another kind.
    """
    values = _mapping(path)
    current = "regex_patterns" in values
    if current:
        patterns = _get(values, "regex_patterns", list, path)
        template = _get(values, "prompt_template", str, path)
    else:
        patterns = [_get(values, "regex_pattern", str, path)]
        templates = _get(values, "prompt_template", list, path)
        if len(templates) != 1 or not isinstance(templates[0], str):
            raise UserError(f"{path}: prompt_template must hold one text")
        template = templates[0]
        if values.get("pairwise") is False:
            raise UserError(f"{path}: is no configuration of pairwise judging")
    if not patterns or not all(isinstance(own, str) for own in patterns):
        raise UserError(f"{path}: the regular expressions of the verdict must be texts")
    return JudgeConfig(
        bench_name=_get(values, "bench_name", str, path),
        judge=_get(values, "judge_model", str, path),
        temperature=float(_get(values, "temperature", (int, float), path)),
        max_tokens=_get(values, "max_tokens", int, path),
        patterns=tuple(patterns),
        rule="last" if current else "unique",
        attempts=1 if current else _get(values, "number_of_judgment_attempts", int, path),
        template=template,
        system_prompt=values.get("system_prompt"),
        baseline=values.get("baseline_model"),
        current=current,
    )


def read_prompts(path: Path) -> dict[str, CategoryPrompt]:
    """System prompt and baseline by category from `utils/judge_utils.py`, which is never run.

    Only assignments of literal texts and of JUDGE_SETTINGS are looked at; a name within it stands
    for the literal that was assigned to it before.

    Raises:
        UserError: it is no Python file, or has no such table.
    """
    try:
        tree = ast.parse(read_text(path))
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: is no Python") from None
    names: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                value = _literal(node.value, names)
                if value is not None:
                    names[target.id] = value
    table = names.get(SETTINGS)
    if not isinstance(table, dict) or not table:
        raise UserError(f"{path}: has no table {SETTINGS} of literal texts")
    found = {}
    for category, own in table.items():
        if not isinstance(own, dict) or not all(
            isinstance(own.get(key), str) for key in ("system_prompt", "baseline")
        ):
            raise UserError(f"{path}: {SETTINGS}[{category!r}] needs system_prompt and baseline")
        found[str(category)] = CategoryPrompt(own["system_prompt"], own["baseline"])
    return found


def _literal(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a literal, names replaced by literals known before; None where it is none."""

    class Names(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Constant(names[node.id]) if isinstance(names.get(node.id), str) else node

    try:
        return ast.literal_eval(Names().visit(node))
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None


def _mapping(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        try:
            values = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise UserError(f"{path}: is neither JSON nor YAML") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: is no judge configuration")
    return values


def _get(values: Mapping[str, Any], name: str, kind: Any, path: Path) -> Any:
    value = values.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        shown = "missing" if name not in values else f"{str(value)[:40]!r}"
        raise UserError(f"{path}: {name} is {shown}; is it Arena-Hard's judge configuration?")
    return value
