import inspect
import subprocess
import sys
from typing import get_args

import pytest

from mnpo.algorithms import list_algorithms, registry
from mnpo.errors import InvalidSetting
from mnpo.training import methods
from mnpo.training.methods import get_method, known_parameters, list_methods

#: What a method needs before it can be built at all.
NEEDS = {"comal": {"inner": 4}}
PAIR_LOSSES = tuple(methods._PAIR_LOSSES)


@pytest.mark.parametrize("name", list_methods())
def test_every_name_builds_and_describes_itself(name):
    import json

    method = get_method(name, NEEDS.get(name))
    assert method.name == name
    assert (method.algorithm is None) != (method.pair_loss is None)
    assert method.updates(0)
    assert method.updates(5)
    assert json.loads(json.dumps(method.describe()))["method"] == name


def test_the_names_are_the_registry_less_the_refused_and_the_pair_losses():
    registered = {entry.name for entry in list_algorithms()}
    assert set(list_methods()) == (registered - {"nash-ema"}) | set(PAIR_LOSSES)
    assert len(list_methods()) == len(set(list_methods()))


@pytest.mark.parametrize("alias", sorted(registry._ALIASES))
def test_aliases_of_the_registry_are_methods_too(alias):
    assert get_method(alias).algorithm == get_method(registry._ALIASES[alias]).algorithm
    assert known_parameters(alias) == known_parameters(registry._ALIASES[alias])


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("nash-ema", {}, "nash-ema has no form on language models: the paper averages network"),
        ("comal", {}, "set inner to a number of steps"),
        ("onpo", {"form": "extrapolated"}, "set form=two-sequence"),
        ("inpoo", {}, "unknown method 'inpoo'; did you mean 'inpo'?"),
        ("simpoo", {}, "unknown method 'simpoo'; did you mean 'simpo'?"),
        ("inpo", {"step_siz": 1.0}, "did you mean 'step_size'?"),
        ("simpo", {"scael": 1.0}, "simpo: unknown parameter 'scael'; did you mean 'scale'?"),
        ("simpo", {"sampler": "others"}, "sampler must be reference or current, got 'others'"),
        ("simpo", {"scale": True}, "simpo: scale must be a number, got True"),
        ("simpo", {"scale": "2"}, "simpo: scale must be a number, got '2'"),
        ("simpo", {"scale": float("nan")}, "simpo: scale must be a finite number, got nan"),
        ("f-dpo", {"divergence": "jensen"}, "divergence must be one of"),
        ("f-dpo", {"divergence": 3}, "divergence must be one of"),
        ("inpo", {"eta": 2.0, "step_size": 1.0}, "give one of them"),
        ("nash-md", {"step_size": 20.0, "temperature": 0.1}, "step_size * temperature"),
        ("mnpo", {"step_size": 20.0, "advantage": "average"}, "step_size * temperature"),
    ],
)
def test_refusals_are_one_line_that_helps(name, parameters, says):
    with pytest.raises(InvalidSetting) as caught:
        get_method(name, parameters)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sampler_may_be_an_exact_boundary_mixture():
    method = get_method("nash-md", {"schedule": "decaying", "temperature": 0.3})
    assert len(method.updates(0)) == 1
    assert get_method("nash-md", {"step_size": 10.0, "temperature": 0.1}).updates(0)


def test_onpo_trains_in_its_two_sequence_form():
    assert get_method("onpo").describe()["parameters"]["form"] == "two-sequence"
    assert len(get_method("onpo").updates(0)) == 2


@pytest.mark.parametrize("loss", sorted(methods.SETTINGS))
def test_settings_of_pair_losses_are_those_of_the_functions(loss):
    from mnpo.losses import get_loss
    from mnpo.training.engine.objectives import _FROM_BATCH

    own = [key for key in get_loss(loss).settings if key not in _FROM_BATCH]
    assert sorted(own) == sorted(methods.SETTINGS[loss])


@pytest.mark.parametrize("name", PAIR_LOSSES)
def test_defaults_of_pair_losses_are_what_the_trainer_takes(name):
    from mnpo.training.engine.objectives import pair_loss_objective

    loss = get_method(name).pair_loss
    pair_loss_objective(loss.loss, loss.settings)
    required = {
        key
        for key, default in __import__("mnpo.losses").losses.get_loss(loss.loss).settings.items()
        if default is inspect.Parameter.empty and key in methods.SETTINGS[loss.loss]
    }
    assert required <= set(loss.settings)


def test_divergences_are_those_of_the_loss():
    from mnpo.losses.offline import Divergence

    assert get_args(Divergence) == methods.DIVERGENCES
    for divergence in methods.DIVERGENCES:
        assert get_method("f-dpo", {"divergence": divergence}).pair_loss is not None


def test_given_settings_replace_the_defaults_and_the_table_stays():
    first = get_method("simpo", {"scale": 3, "sampler": "current"}).pair_loss
    assert first.settings == {"scale": 3, "target_margin": 1.0}
    assert first.sampler == "current"
    assert get_method("simpo").pair_loss.settings == {"scale": 2.0, "target_margin": 1.0}


def test_a_pair_loss_is_one_update_around_the_reference():
    from mnpo.algorithms.sources import CURRENT, REFERENCE

    offline, online = get_method("cpo"), get_method("cpo", {"sampler": "current"})
    assert offline.updates(3)[0].anchors == online.updates(3)[0].anchors == ((REFERENCE, 1.0),)
    assert offline.updates(3)[0].opponents == ((REFERENCE, 1.0),)
    assert online.updates(3)[0].opponents == ((CURRENT, 1.0),)
    assert offline.players(5) == 1
    assert not offline.heterogeneous
    assert offline.magnet_period is None


@pytest.mark.parametrize("name", list_methods())
def test_every_known_parameter_is_taken(name):
    """``method_defaults`` may hand a method all that it is said to know."""
    values = {
        "step_size": 0.25,
        "temperature": 0.2,
        "schedule": "decaying",
        "inner": 3,
        "decay": 0.5,
        "num_players": 3,
        "external_weights": (1.0,),
        "reference_weight": 0.25,
        "beta": 2.0,
        "scale_weights": True,
        "history_weights": (1.0, 1.0),
        "target_form": "sound",
        "self_weight": 0.5,
        "reading": "alg2",
    }
    known = known_parameters(name)
    given = {key: value for key, value in values.items() if key in known}
    method = get_method(name, NEEDS.get(name, {}) | given)
    method.updates(0)
    assert known


def test_known_parameters_leave_out_what_is_not_read():
    assert {"step_size", "temperature", "schedule"} <= known_parameters("inpo")
    assert "temperature" not in known_parameters("mwu")
    assert "step_size" not in known_parameters("dpo")
    # 2/(temperature (t + 2)) needs both; a default must not make mwu read a temperature that it
    # would not be given, or spin refuse a schedule.
    for name in ("mwu", "sppo", "dpo", "spin", "eo-mnpo"):
        assert "schedule" not in known_parameters(name)
    assert "schedule" in known_parameters("comal")
    assert known_parameters("nothing") == frozenset()


@pytest.mark.parametrize(
    "name", ["dpo-online", "dpo-iterative", "ipo-online", "mnpo-eq15", "sppo-practical"]
)
def test_a_default_cannot_undo_what_the_name_says(name):
    preset = registry.find_entry(name).preset
    assert preset
    assert not set(preset) & known_parameters(name)


def test_known_parameters_are_in_the_common_convention():
    """eta is a step for some papers and its inverse for others; a default means one thing."""
    for name in list_methods():
        assert not {"eta", "tau", "n", "lambda_"} & known_parameters(name)


def test_players():
    assert get_method("mnpo").players(0) == 1
    assert get_method("mnpo-eq10", {"n": 4}).players(0) == 4
    ht = get_method("ht-mnpo")
    assert ht.heterogeneous
    assert ht.players(3) == 3
    with pytest.raises(InvalidSetting, match="at least two under annotators"):
        ht.players(1)
    fixed = get_method("ht-mnpo", {"num_players": 2})
    assert fixed.players(2) == 2
    with pytest.raises(InvalidSetting, match="num_players is 2 and the recipe has 3"):
        fixed.players(3)


def test_nothing_heavy_is_imported():
    code = (
        "import sys, mnpo.training.methods, mnpo.training.recipe, mnpo.training.online.players;"
        "mnpo.training.methods.get_method('f-dpo');"
        "heavy = {'torch', 'transformers', 'trl', 'peft', 'datasets', 'pandas'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
