"""Recipes by name or file, with single settings changed; and the methods that a recipe names."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from mnpo.algorithms.paper_parameters import PAPER_PARAMETERS, translate
from mnpo.algorithms.registry import find_entry
from mnpo.errors import InvalidSetting, suggest
from mnpo.runs.reading import assign, read_yaml_file
from mnpo.training.methods import Method, get_method, known_parameters, list_methods
from mnpo.training.recipe import Recipe
from mnpo.validation import check

_SUFFIXES = (".yaml", ".yml")


def list_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the package."""
    folder = resources.files("mnpo") / "recipes"
    names = (entry.name for entry in folder.iterdir() if entry.is_file())
    return tuple(sorted(n.removesuffix(".yaml") for n in names if n.endswith(".yaml")))


def load_recipe(name_or_path: str, assignments: Mapping[str, Any] | None = None) -> Recipe:
    """A checked recipe.

    Args:
        name_or_path: a built-in recipe's name; a YAML file, such as the run.yaml of an earlier
            run; or that run's folder.
        assignments: dotted keys and their values, e.g. ``{"methods.inpo.step_size": 1}``. Numbers
            count through lists: ``annotators.0.scale``.

    Raises:
        InvalidSetting: no such recipe; a file that is no YAML, or gives a key twice; an unknown
            key, with the nearest known one; an impossible value.
    """
    file = _find(name_or_path)
    values = _with_empty_methods(read_yaml_file(file, str(name_or_path)))
    recipe = check(Recipe, values, f"{name_or_path}: {{}}".format)
    if not assignments:
        return recipe
    for key, value in assignments.items():
        assign(values, key, value)
    return check(Recipe, _with_empty_methods(values), "--set: {}".format)


def select_methods(recipe: Recipe, names: Sequence[str]) -> Recipe:
    """The recipe with only these methods; one that it does not name gets its defaults.

    Raises:
        InvalidSetting: none, an unknown one, or one twice.
    """
    if not names:
        raise InvalidSetting("give at least one method")
    for name in names:
        if names.count(name) > 1:
            raise InvalidSetting(f"method '{name}' is named twice")
        if name not in recipe.methods:
            get_method(name, _defaults(recipe.method_defaults, name))  # refuses an unknown one
    chosen = {name: recipe.methods.get(name, {}) for name in names}
    return recipe.model_copy(update={"methods": chosen})


def methods_of(recipe: Recipe) -> dict[str, Method]:
    """The recipe's methods as values, checked before anything heavy is loaded.

    ``method_defaults`` reach the methods that know the parameter, in the common convention or in
    the vocabulary of the method's own paper; a method's own entry goes first.

    Raises:
        InvalidSetting: an unknown method or parameter, a default that no method reads, one
            algorithm under two names, or a method that needs annotators or external models
            that the recipe does not name.
    """
    for key in recipe.method_defaults:
        readers = [name for name in list_methods() if key in _readable(name)]
        if not readers:
            known = sorted({key for name in list_methods() for key in _readable(name)})
            raise InvalidSetting(f"method_defaults: no method reads '{key}'{suggest(key, known)}")
    methods: dict[str, Method] = {}
    for name, own in recipe.methods.items():
        method = get_method(name, _defaults(recipe.method_defaults, name) | _common(name, own))
        for other, earlier in methods.items():
            if earlier.algorithm is not None and earlier.algorithm == method.algorithm:
                raise InvalidSetting(f"methods: {other} and {name} are the same method")
        method.players(len(recipe.annotators))
        _require_externals(method, len(recipe.externals))
        methods[name] = method
    return methods


def _find(name_or_path: str) -> Path:
    """The file behind a name; a path wins where it looks like one."""
    path = Path(name_or_path)
    if name_or_path in list_recipes():
        return Path(str(resources.files("mnpo") / "recipes" / f"{name_or_path}.yaml"))
    if path.is_dir() and (path / "run.yaml").is_file():
        return path / "run.yaml"
    if path.suffix in _SUFFIXES or len(path.parts) > 1 or path.exists():
        return path
    raise InvalidSetting(
        f"unknown recipe '{name_or_path}'{suggest(name_or_path, list_recipes())} "
        "(or give a YAML file)"
    )


def _with_empty_methods(values: dict[str, Any]) -> dict[str, Any]:
    """A method without parameters may stand as ``dpo:``, which YAML reads as null."""
    methods = values.get("methods")
    if isinstance(methods, Mapping):
        own = {name: {} if given is None else given for name, given in methods.items()}
        return values | {"methods": own}
    return values


def _readable(name: str) -> frozenset[str]:
    """Parameters in both vocabularies, those left out whose field the method does not read."""
    fields = known_parameters(name)
    own = PAPER_PARAMETERS.get(_registry_name(name), {})
    return fields | {key for key, translation in own.items() if translation.field in fields}


def _defaults(defaults: Mapping[str, Any], name: str) -> dict[str, Any]:
    readable = _readable(name)
    return _common(name, {key: value for key, value in defaults.items() if key in readable})


def _common(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in the common convention, so that defaults and a method's own can be merged."""
    return translate(_registry_name(name), parameters)


def _registry_name(name: str) -> str:
    try:
        return find_entry(name).name
    except InvalidSetting:  # a pair loss, or a name that get_method refuses
        return name


def _require_externals(method: Method, externals: int) -> None:
    from mnpo.algorithms.sources import External

    if method.algorithm is None:
        return
    updates = method.updates(0)
    named = {
        source.index
        for update in updates
        for source, _ in (*update.anchors, *update.opponents)
        if isinstance(source, External)
    }
    if named and max(named) >= externals:
        raise InvalidSetting(
            f"{method.name} has external policies as opponents: it needs {max(named) + 1} under "
            f"externals and the recipe names {externals}"
        )
