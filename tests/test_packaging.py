"""The distribution, its dependencies and the files that describe it agree with one another."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import mnpo

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("mnpo", "simulators", "evaluation", "leaderboards")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins() -> dict[str, Version]:
    """constraints.txt as {canonical name: version}; fails on a line that is no plain pin."""
    found: dict[str, Version] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][0-9A-Za-z.]*)", line)
        assert match, f"not `name==version` without address or local tag: {line!r}"
        name = canonicalize_name(match[1])
        assert name not in found, f"pinned twice: {name}"
        found[name] = Version(match[2])
    return found


def requirements(*extras: str) -> list[Requirement]:
    """The direct dependencies, with those of ``extras``, without references to ourselves."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return [r for r in map(Requirement, lines) if r.name != PROJECT["name"]]


def fenced_block(document: str, mark: str) -> str:
    """The content of the fenced block that follows the line ``mark``."""
    match = re.search(rf"^{re.escape(mark)}\n```\w*\n(.*?)^```", document, re.M | re.S)
    assert match, f"no fenced block after {mark!r}"
    return match[1].strip()


def test_the_tested_set_satisfies_every_range() -> None:
    pinned = pins()
    # vLLM brings a torch of its own: it has no place in this set.
    for requirement in requirements("ray", "gguf", "oracles", "peers", "serving", "dev"):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"constraints.txt does not pin {requirement.name}"
        assert requirement.specifier.contains(pinned[name]), f"{requirement} admits no {name} pin"


def test_what_breaks_under_newer_releases_is_capped() -> None:
    ranges = {canonicalize_name(r.name): r.specifier for r in requirements()}
    assert not ranges["setuptools"].contains("82.0.0")  # no pkg_resources for alpaca-eval
    assert not ranges["scikit-learn"].contains("1.10.0")  # an argument alpaca-eval passes is gone
    assert not ranges["trl"].contains("1.17.0")  # private names that the trainer subclasses


def third_party_imports() -> dict[str, str]:
    """{top-level name: the first file that imports it} for all that is not ours or Python's."""
    found: dict[str, str] = {}
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            else:
                continue
            for name in {name.partition(".")[0] for name in names}:
                if name not in sys.stdlib_module_names and name not in PACKAGES:
                    found.setdefault(name, str(path.relative_to(ROOT)))
    return found


def test_every_import_is_a_declared_dependency() -> None:
    # Of the extras, only those a user of the package can ask for; not the tests' own.
    declared = {canonicalize_name(r.name) for r in requirements("ray", "vllm", "gguf", "oracles")}
    distributions = packages_distributions()
    for name, where in third_party_imports().items():
        providers = {canonicalize_name(p) for p in distributions.get(name, [name])}
        assert providers & declared, f"{where} imports {name}, which pyproject.toml does not name"


def test_dev_extra_brings_what_the_tests_use() -> None:
    own = [r for r in map(Requirement, EXTRAS["dev"]) if r.name == PROJECT["name"]]
    assert {extra for r in own for extra in r.extras} == {
        "gguf",
        "oracles",
        "peers",
        "ray",
        "serving",
    }


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == mnpo.__version__
    assert citation["license"] == PROJECT["license"] == "Apache-2.0"
    changelog = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.M)
    assert released[0] == mnpo.__version__


def test_readme_and_ci_share_their_command() -> None:
    readme = (ROOT / "README.md").read_text()
    test_command = fenced_block(readme, "<!-- ci:test -->")
    assert "-c constraints.txt" in test_command
    assert "&& .venv/bin/pytest" in test_command
    ci = (ROOT / ".ci" / "run").read_text()
    assert "<!-- ci:test -->" in ci
    assert "pip install" not in ci  # only what the README says


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel that a release would publish, built without isolation and without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    finished = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_wheel_holds_every_file_of_the_four_packages_and_nothing_else(
    wheel: zipfile.ZipFile,
) -> None:
    packaged = {name for name in wheel.namelist() if ".dist-info/" not in name}
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packaged == sources
    assert {f"{package}/py.typed" for package in PACKAGES} <= packaged


def test_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    folder = f"mnpo_bench-{mnpo.__version__}.dist-info"
    metadata = wheel.read(f"{folder}/METADATA").decode()
    assert f"\nVersion: {mnpo.__version__}\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert f"{folder}/licenses/LICENSE" in wheel.namelist()
    entry_points = wheel.read(f"{folder}/entry_points.txt").decode()
    assert "mnpo-bench = mnpo.cli:main" in entry_points
