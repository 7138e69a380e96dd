"""A run directory of a suite: its files, and what happens to one that was interrupted."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mnpo.errors import UserError
from mnpo.runs import sha256_file
from mnpo.runs.alive import LOCK
from simulators.suite import run as module
from simulators.suite.results import STEP_COLUMNS, TABLES
from simulators.suite.run import SuiteResult, run_suite
from simulators.suite.settings import SuiteSettings, read_suite

FILES = {"run.yaml", "manifest.json", "parts", "suite.md", *(f"{name}.csv" for name in TABLES)}


def read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_files(done: SuiteResult, tiny: SuiteSettings) -> None:
    folder = done.directory.path
    assert {path.name for path in folder.iterdir()} - {LOCK} == FILES
    config = yaml.safe_load((folder / "run.yaml").read_text())
    assert next(iter(config)) == "suite"
    assert read_suite(config) == tiny
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert set(manifest["outputs"]) == FILES - {"run.yaml", "manifest.json", "parts"}
    for name, sha256 in manifest["outputs"].items():
        assert sha256_file(folder / name) == sha256
    for name, columns in TABLES.items():
        rows = read(folder, name)
        assert rows
        assert tuple(rows[0]) == columns


def test_means_are_of_the_games_beside_them(done: SuiteResult) -> None:
    folder = done.directory.path
    games = read(folder, "games")
    seen = Counter()
    for row in read(folder, "suite"):
        own = [g for g in games if all(g[k] == row[k] for k in ("regime", "family", "algorithm"))]
        if not row["value"]:
            assert row["note"]
            assert row["n"] == "0"
            assert own == []
            continue
        values = [float(g[row["metric"]]) for g in own]
        assert float(row["value"]) == pytest.approx(np.mean(values), abs=1e-15)
        assert float(row["std"]) == pytest.approx(np.std(values, ddof=1), abs=1e-15)
        assert int(row["n"]) == len(values) == 3
        assert {g[STEP_COLUMNS[row["metric"]]] for g in own} == {row["step_size"]}
        seen[row["algorithm"]] += 1
    assert seen == {"inpo": 18, "egpo": 18, "ipo": 18, "ht-mnpo": 6}


def test_the_tuning_table_explains_the_choice(done: SuiteResult) -> None:
    folder = done.directory.path
    tuning = read(folder, "tuning")
    assert "ipo" not in {row["algorithm"] for row in tuning}
    for row in read(folder, "suite"):
        if not row["step_size"]:
            continue
        where = ("regime", "family", "algorithm")
        tried = [t for t in tuning if all(t[k] == row[k] for k in where)]
        assert [float(t["step_size"]) for t in tried] == [0.25, 1.0, 4.0]
        least = min(float(t[row["metric"]]) for t in tried)
        (won,) = (t for t in tried if row["metric"] in t["chosen_for"].split())
        assert won["step_size"] == row["step_size"]
        assert float(won[row["metric"]]) <= least + 1e-9
        at_end = won["step_size"] in ("0.25", "4.0")
        assert row["at_grid_end"] == ("true" if at_end else "false")


def test_a_killed_run_goes_on_where_it_was(
    done: SuiteResult, tiny: SuiteSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    ran: list[Any] = []
    plain = module.run_cell

    def killed(cell: Any) -> Any:
        if len(ran) == 5:
            raise KeyboardInterrupt
        ran.append(cell.key)
        return plain(cell)

    monkeypatch.setattr(module, "run_cell", killed)
    with pytest.raises(KeyboardInterrupt):
        run_suite(tiny, folder)
    assert not (folder / "suite.csv").exists()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "running"
    (damaged, *_) = (folder / "parts").glob("*.json")
    damaged.write_text("{}")

    def counted(cell: Any) -> Any:
        ran.append(cell.key)
        return plain(cell)

    monkeypatch.setattr(module, "run_cell", counted)
    resumed = run_suite(tiny, folder)
    assert resumed.resumed == 4
    again = Counter(ran)
    assert [key for key, times in again.items() if times > 1] == [damaged.stem]
    for name in TABLES:
        one, other = (run.directory.path / f"{name}.csv" for run in (done, resumed))
        assert one.read_bytes() == other.read_bytes()
    manifest = (folder / "manifest.json").read_bytes()
    assert run_suite(tiny, folder).resumed == 24
    assert (folder / "manifest.json").read_bytes() == manifest


def test_looking_again_leaves_the_files_as_the_manifest_has_them(
    tiny: SuiteSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    run_suite(tiny, folder, command="mnpo-bench simulate --suite tiny --output run")
    run_suite(tiny, folder, command="mnpo-bench simulate --suite tiny --output ./run")
    outputs = json.loads((folder / "manifest.json").read_text())["outputs"]
    for name, sha256 in outputs.items():
        assert sha256_file(folder / name) == sha256, name


def test_other_settings_are_refused_unless_told(
    tiny: SuiteSettings, tmp_path: Path, values: dict[str, Any]
) -> None:
    folder = tmp_path / "run"
    one = tiny.model_copy(update={"algorithms": ("ipo",)})
    run_suite(one, folder)
    other = one.model_copy(update={"temperature": 0.2})
    before = (folder / "suite.csv").read_bytes()
    with pytest.raises(UserError, match=r"holds a run with temperature: 0\.1, not 0\.2"):
        run_suite(other, folder)
    assert (folder / "suite.csv").read_bytes() == before
    run_suite(other, folder, overwrite=True)
    assert (folder / "suite.csv").read_bytes() != before


def test_what_cannot_be_drawn_is_refused_before_anything_is_written(
    values: dict[str, Any], tmp_path: Path
) -> None:
    values["families"]["cyclic"]["parameters"] = {"strength": {"gamma": 1}}
    with pytest.raises(UserError, match="family cyclic: strength: cannot draw"):
        run_suite(read_suite(values), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="--jobs must be at least 1, got 0"):
        run_suite(read_suite(values), tmp_path / "run", jobs=0)


def test_processes_give_the_same(tiny: SuiteSettings, tmp_path: Path) -> None:
    few = tiny.model_copy(update={"algorithms": ("inpo", "ipo")})
    told: list[tuple[int, int]] = []
    one = run_suite(few, tmp_path / "one")
    two = run_suite(few, tmp_path / "two", jobs=2, listen=lambda *at: told.append(at))
    assert one.rows == two.rows
    assert told == [(done, 12) for done in range(13)]
