import logging
import math
import socket
import subprocess
import sys
from pathlib import Path

import alpaca_eval
import numpy as np
import pytest
import sklearn
from alpaca_eval.metrics import glm_winrate

from evaluation.alpaca_eval.length_control import Rows, controlled, fit, read_gamed
from evaluation.alpaca_eval.package import extreme, official_fit


def arrays(world, model):
    k = range(world.size)
    preference = np.array([world.preference(model, i) for i in k])
    length_1 = np.array([len(world.baseline(i)) for i in k])
    length_2 = np.array([len(world.output(model, i)) for i in k])
    return preference, length_1, length_2


def snapshot(folder):
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if "__pycache__" not in str(path)
    }


def test_the_package_is_contained(world, monkeypatch):
    def no_network(*_):
        raise AssertionError("the metric opened a connection")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    folder = Path(alpaca_eval.__file__).parent
    before, settings = snapshot(folder), sklearn.get_config()
    names = {
        name: getattr(glm_winrate, name)
        for name in ("hf_hub_download", "GroupKFold", "fit_LogisticRegressionCV")
    }
    official_fit(*arrays(world, "mini"), world.glm / "df_gamed.csv")
    with pytest.raises(ValueError):  # also when it fails half-way  # noqa: PT011
        official_fit(*arrays(world, "mini"), world.glm / "no.csv", index=np.array([0]))
    assert snapshot(folder) == before
    assert sklearn.get_config() == settings
    assert all(getattr(glm_winrate, name) is own for name, own in names.items())


def test_the_package_logs_nothing(world):
    """In a fresh process: loading the package would open the root logger, and a row fill it."""
    code = (
        "import logging, sys, numpy as np\n"
        "from pathlib import Path\n"
        "from evaluation.alpaca_eval.package import official_fit\n"
        "p = np.linspace(1, 2, 60); p[:9] = np.nan\n"
        "official_fit(p, np.arange(60), np.arange(60) ** 2 % 37, Path(sys.argv[1]))\n"
        "print(logging.root.level, logging.root.handlers)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, world.glm / "df_gamed.csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ran.stdout.strip(), ran.stderr) == (f"{logging.WARNING} []", "")


def test_the_fit_is_the_packages_own(world, monkeypatch):
    """The package as it stands, but for where its file comes from, and today's stable folds."""
    import pandas as pd

    preference, length_1, length_2 = arrays(world, "mini")
    rows = pd.DataFrame(
        {
            "preference": preference,
            "generator_1": "a",
            "generator_2": "b",
            "annotator": "c",
            "output_1": [world.baseline(k) for k in range(world.size)],
            "output_2": [world.output("mini", k) for k in range(world.size)],
        }
    )
    monkeypatch.setattr(glm_winrate, "hf_hub_download", lambda **_: world.glm / "df_gamed.csv")
    with sklearn.config_context():
        wanted = glm_winrate.get_length_controlled_winrate(rows, save_weights_dir=None)
    found = official_fit(preference, length_1, length_2, world.glm / "df_gamed.csv", order="stable")
    assert found.value == wanted["length_controlled_winrate"]
    assert found.standard_error == wanted["lc_standard_error"]


def test_the_path_over_the_grid_holds_the_value(world):
    preference, length_1, length_2 = arrays(world, "mini")
    found = official_fit(preference, length_1, length_2, world.glm / "df_gamed.csv")
    chosen = list(found.grid).index(found.C)
    assert found.path[chosen] == pytest.approx(found.value, abs=1e-9)
    assert found.losses[chosen] == found.losses.min()
    gamed = read_gamed(world.glm / "df_gamed.csv")
    rows = Rows(preference - 1, (length_1 - length_2).astype(float), gamed.by_instruction)
    own = [controlled(fit(rows, gamed, C), rows)[0] for C in found.grid]
    assert found.path == pytest.approx(own, abs=0.2)  # the package's solver stops earlier


def test_difficulty_by_position_or_by_instruction(world):
    """Without the first row all positions shift; a row without a preference shifts none."""
    preference, length_1, length_2 = arrays(world, "mini")
    file = world.glm / "df_gamed.csv"
    index = np.arange(world.size)
    whole = official_fit(preference, length_1, length_2, file)
    same = official_fit(preference, length_1, length_2, file, index=index)
    assert same.value == whole.value
    part = (preference[1:], length_1[1:], length_2[1:], file)
    by_position = official_fit(*part)
    by_instruction = official_fit(*part, index=index[1:])
    assert by_position.value != by_instruction.value
    gamed = read_gamed(file)
    rows = Rows(
        preference[1:] - 1, (length_1 - length_2)[1:].astype(float), gamed.by_instruction[1:]
    )
    own = controlled(fit(rows, gamed, by_instruction.C), rows)[0]
    assert by_instruction.value == pytest.approx(own, abs=0.2)


def test_rows_without_a_preference_are_predicted_but_not_fitted(world):
    preference, length_1, length_2 = arrays(world, "mini")
    preference[:20] = math.nan
    found = official_fit(preference, length_1, length_2, world.glm / "df_gamed.csv")
    assert found.path[list(found.grid).index(found.C)] == pytest.approx(found.value, abs=1e-9)
    gamed = read_gamed(world.glm / "df_gamed.csv")
    delta = (length_1 - length_2).astype(float)
    every = Rows(preference - 1, delta, gamed.by_instruction)
    rows = Rows(preference[20:] - 1, delta[20:], gamed.by_instruction[20:])
    once = np.ones((1, world.size))
    w = fit(rows, gamed, found.C, once[:, 20:], every.spread(once))
    assert controlled(w, every)[0] == pytest.approx(found.value, abs=0.2)


def test_the_packages_warning():
    assert extreme(20.0, 60.0)
    assert not extreme(20.0, 25.0)
