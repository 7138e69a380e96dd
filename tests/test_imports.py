"""Who may import whom, and what the start of a command must not load."""

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("mnpo", "simulators", "evaluation", "leaderboards")
# Each costs from a fifth of a second to several seconds at the start of a process.
HEAVY = (
    "accelerate",
    "alpaca_eval",
    "datasets",
    "lm_eval",
    "matplotlib",
    "pandas",
    "peft",
    "ray",
    "sklearn",
    "torch",
    "transformers",
    "trl",
)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import statement of the four packages, the lazy ones inside functions included."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def run_python(code: str, *arguments: str, cwd: Path = ROOT) -> str:
    """The standard output of ``code`` in a fresh interpreter that finds this checkout first."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"
    finished = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def loaded(code: str, cwd: Path = ROOT) -> set[str]:
    """Names of all modules in memory after ``code`` ran in a fresh interpreter."""
    report = "import sys\nprint('\\nLOADED', *sys.modules)"
    return set(run_python(f"{code}\n{report}", cwd=cwd).rpartition("LOADED ")[2].split())


def test_import_contracts_hold() -> None:
    code = (
        "from importlinter.cli import lint_imports\n"
        "sys.exit(lint_imports(no_cache=True, no_logo=True))"
    )
    assert "0 broken" in run_python(code)


def test_no_circle_at_file_level(graph: grimp.ImportGraph) -> None:
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        tuple(TopologicalSorter(imports).static_order())
    except CycleError as error:
        pytest.fail("import circle: " + " <- ".join(error.args[1]))


@pytest.mark.parametrize(
    ("leaf", "allowed"),
    [
        ("mnpo.errors", set()),
        ("mnpo.printable", {"mnpo"}),  # `mnpo` itself holds nothing but the version
        ("mnpo.runs", {"mnpo", "mnpo.errors", "mnpo.printable"}),
    ],
)
def test_leaf_imports_nothing_else_of_ours(
    graph: grimp.ImportGraph, leaf: str, allowed: set[str]
) -> None:
    inside = {leaf, *graph.find_descendants(leaf)}
    imported = {
        name for module in inside for name in graph.find_modules_directly_imported_by(module)
    }
    assert imported - inside <= allowed


def test_package_root_imports_nothing(graph: grimp.ImportGraph) -> None:
    # It runs before every `import mnpo.…`, so whatever it loaded, everything would load.
    assert not graph.find_modules_directly_imported_by("mnpo")


def test_every_module_can_be_imported_and_every_package_first(graph: grimp.ImportGraph) -> None:
    # Without a circle (above) any module can be the first one; starting over for each of
    # hundreds would take a minute.
    run_python(
        f"""
import importlib
for name in sys.argv[1:]:
    if name.count(".") < 2:
        for ours in [m for m in sys.modules if m.partition(".")[0] in {PACKAGES!r}]:
            del sys.modules[ours]
    importlib.import_module(name)
""",
        *sorted(graph.modules),
    )


@pytest.mark.parametrize("module", ["mnpo.algorithms", "mnpo.errors", "simulators", "mnpo.cli"])
def test_import_loads_nothing_heavy(module: str) -> None:
    assert loaded(f"import {module}").isdisjoint(HEAVY)


def test_help_loads_nothing_heavy_and_no_numpy() -> None:
    modules = loaded(
        "from mnpo.cli import main\n"
        "sys.argv = ['mnpo-bench', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )
    assert modules.isdisjoint({*HEAVY, "numpy", "scipy"})


def test_exact_simulation_never_loads_torch(tmp_path: Path) -> None:
    modules = loaded(
        "from simulators import make_game, simulate\n"
        "simulate(make_game('cyclic'), 'inpo', step_size=0.5, temperature=0.1, iterations=3)",
        cwd=tmp_path,
    )
    assert modules.isdisjoint({"torch", "transformers", "matplotlib", "pandas"})


def test_exact_simulate_command_never_loads_torch(tmp_path: Path) -> None:
    modules = loaded(
        "from mnpo.cli import main\n"
        "sys.argv = ['mnpo-bench', 'simulate', '--game', 'cyclic', '--algorithms', 'inpo,sppo',"
        " '--iterations', '5', '--output', 'run']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code",
        cwd=tmp_path,
    )
    assert "simulators" in modules
    assert modules.isdisjoint({"torch", "transformers"})
