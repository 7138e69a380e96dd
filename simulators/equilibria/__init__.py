"""Exact equilibria: regularised, unregularised, one-vs-many and heterogeneous."""

from simulators.equilibria.general_sum import GeneralSumEquilibrium, general_sum_equilibrium
from simulators.equilibria.nash import NashEquilibrium, nash_equilibrium
from simulators.equilibria.one_vs_many import plackett_luce_equilibrium
from simulators.equilibria.plackett_luce import (
    PlackettLuceOracle,
    plackett_luce_gradient,
    plackett_luce_win_rates,
)
from simulators.equilibria.regularized import (
    RegularizedEquilibrium,
    regularized_equilibria,
    regularized_equilibrium,
    regularized_log_equilibrium,
)

__all__ = [
    "GeneralSumEquilibrium",
    "NashEquilibrium",
    "PlackettLuceOracle",
    "RegularizedEquilibrium",
    "general_sum_equilibrium",
    "nash_equilibrium",
    "plackett_luce_equilibrium",
    "plackett_luce_gradient",
    "plackett_luce_win_rates",
    "regularized_equilibria",
    "regularized_equilibrium",
    "regularized_log_equilibrium",
]
