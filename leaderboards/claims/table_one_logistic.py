"""The rows of MNPO's Table 1 with a logistic distance: DPO, DNO, SPIN, SimPO, CPO."""

import math

import numpy as np
from numpy.typing import NDArray

from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.decide import SAME, conclude, exact, largest_difference
from leaderboards.claims.games import random_games, random_policies, skewed
from leaderboards.claims.minimise import gaps, labelled, minimise, policy, product, tensor, weighted
from leaderboards.claims.table_one_squared import SOURCE
from simulators.dynamics.simulation import simulate
from simulators.games import Game, make_game

Array = NDArray[np.float64]

BETA = 0.8
#: DNO's eta, an inverse step.
ETA = 2.0


def row_dpo(effort: Effort, *, target: float = math.inf) -> Finding:
    """Backward divergence with an infinite target: the loss, and the policy it leads to."""
    from mnpo.losses import backward_kl_pair_loss, logistic_pair_loss

    values = tensor(np.linspace(-6, 6, 241))
    own = logistic_pair_loss(values, scale=BETA)
    row = backward_kl_pair_loss(values, target=target, scale=BETA)
    difference = float((row - own).abs().max())
    near = {
        f"difference of the losses at target {aim:g}, nats": float(
            (backward_kl_pair_loss(values, target=aim, scale=BETA) - own).abs().max()
        )
        for aim in (5.0, 20.0, 40.0)
    }
    policies = []
    for game in _games(effort):
        ref = skewed(game.size)
        loss = labelled(
            backward_kl_pair_loss, product(ref), game.preferences, target=target, scale=BETA
        )
        found = policy(np.log(ref), minimise(loss, game.size))
        dpo = simulate(game, "dpo", temperature=BETA, reference=ref, iterations=1).last
        policies.append(largest_difference(found, dpo))
    return conclude(
        {
            "losses are compared": difference < SAME,
            "the policies that minimise them are": max(policies) < SAME,
        },
        quantity="largest difference between the row's loss and DPO's, nats",
        number=exact(difference, len(values)),
        details={"largest difference of probabilities": max(policies)} | near,
    )


def row_dno(effort: Effort, *, soft: bool = True) -> Finding:
    """An infinite target on hard labels, and DNO's soft labels, against a step of MWU."""
    from mnpo.losses import backward_kl_pair_loss, dno_loss

    hard, with_soft = [], []
    for game in _games(effort):
        start = skewed(game.size)
        weights = product(start)
        own = simulate(game, "dno", step_size=1 / ETA, initial=start, iterations=1).last
        printed = labelled(
            backward_kl_pair_loss, weights, game.preferences, target=math.inf, scale=ETA
        )
        hard.append(largest_difference(policy(np.log(start), minimise(printed, game.size)), own))
        rates = tensor(game.preferences @ start)
        aim = gaps(rates) if soft else gaps(rates).sign()
        f = minimise(weighted(dno_loss, weights, scale=ETA, win_rate_gap=aim), game.size)
        with_soft.append(largest_difference(policy(np.log(start), f), own))
    return conclude(
        {
            "labels are soft, sigma(P(y > pi_t) - P(y' > pi_t))": max(with_soft) < SAME,
            "labels are answers, which is what an infinite target means": max(hard) < SAME,
        },
        quantity="largest difference of probabilities from DNO's step, as printed",
        number=exact(max(hard), len(hard)),
        details={"with soft labels": max(with_soft)},
    )


def row_spin(effort: Effort, *, mixed: float = 0.0) -> Finding:
    """A preference game against pi_t, and SPIN's own pairs of a demonstration and a sample."""
    from mnpo.losses import backward_kl_pair_loss, spin_loss

    printed, from_data = [], []
    for index, game in enumerate(_games(effort)):
        start = skewed(game.size)
        (data,) = random_policies(effort.seed + index, 1, game.size)
        own = simulate(
            game, "spin", initial=start, demonstrations=data, iterations=1, beta=BETA
        ).last
        row = labelled(
            backward_kl_pair_loss, product(start), game.preferences, target=math.inf, scale=BETA
        )
        printed.append(largest_difference(policy(np.log(start), minimise(row, game.size)), own))
        weights = product((1 - mixed) * data + mixed * start, start)
        f = minimise(weighted(spin_loss, weights, scale=BETA), game.size)
        from_data.append(largest_difference(policy(np.log(start), f), own))
    return conclude(
        {
            "the winner is a demonstration and no preference is asked": max(from_data) < SAME,
            "the winner is the preferred one of two samples": max(printed) < SAME,
        },
        quantity="largest difference of probabilities from SPIN's step, preferred winners",
        number=exact(max(printed), len(printed)),
        details={"winners from the demonstrations": max(from_data)},
    )


def row_simpo(effort: Effort, *, target_margin: float = 0.5) -> Finding:
    """No opponent, backward divergence, infinite target; SimPO with and without its own terms."""
    from mnpo.losses import backward_kl_pair_loss, simpo_loss

    lengths = np.array([4.0, 9.0, 2.0, 7.0, 5.0])
    cases = {
        "responses are equally long and there is no target margin": (np.full(5, 5.0), 0.0),
        "lengths differ": (lengths, 0.0),
        "there is a target margin": (np.full(5, 5.0), target_margin),
    }
    differences = {}
    for name, (tokens, margin) in cases.items():
        found = []
        for first, second in _pairs(effort):
            i, j = np.arange(5)[:, None], np.arange(5)[None, :]
            row = backward_kl_pair_loss(
                tensor(first[i] - second[j]), target=math.inf, scale=BETA / 5
            )
            own = simpo_loss(
                tensor(first[i] + 0 * second[j]),
                tensor(second[j] + 0 * first[i]),
                chosen_lengths=tensor(tokens)[:, None],
                rejected_lengths=tensor(tokens)[None, :],
                scale=BETA,
                target_margin=margin,
            )
            found.append(float((row - own).abs().max()))
        differences[name] = max(found)
    return conclude(
        {name: value < SAME for name, value in differences.items()},
        quantity="largest difference between the row's loss and SimPO's, lengths of 2 to 9, nats",
        number=exact(differences["lengths differ"], len(differences)),
        details=differences,
    )


def row_cpo(effort: Effort, *, likelihood_weight: float = 1.0) -> Finding:
    """No opponent, backward divergence, infinite target; CPO with and without its likelihood."""
    from mnpo.losses import backward_kl_pair_loss, cpo_loss

    cases = {
        "CPO's likelihood term is left out": 0.0,
        "CPO is whole, likelihood term included": likelihood_weight,
    }
    differences = {}
    for name, weight in cases.items():
        found = []
        for first, second in _pairs(effort):
            chosen, rejected = tensor(first), tensor(second)
            row = backward_kl_pair_loss(chosen - rejected, target=math.inf, scale=BETA)
            own = cpo_loss(chosen, rejected, scale=BETA, likelihood_weight=weight)
            found.append(float((row - own).abs().max()))
        differences[name] = max(found)
    return conclude(
        {name: value < SAME for name, value in differences.items()},
        quantity="largest difference between the row's loss and CPO's whole loss, nats",
        number=exact(max(differences.values()), len(differences)),
        details=differences,
    )


def _games(effort: Effort) -> list[Game]:
    """Noisy preferences: on certain, transitive ones a logistic loss has no finite minimiser."""
    drawn = random_games(1 if effort.quick else 4, effort.seed)
    return [make_game("cyclic", strength=0.8), make_game("bradley-terry", actions=5), *drawn]


def _pairs(effort: Effort) -> list[tuple[Array, Array]]:
    """Log-probabilities of chosen and rejected responses."""
    drawn = np.log(random_policies(effort.seed, 4 if effort.quick else 40, 5))
    return list(zip(drawn[::2], drawn[1::2], strict=True))


_ROW = "The minimiser of the row's loss over all policies and the method's own step, on games with "
_ROW += "noisy preferences."
_LOSS = "Loss of random log-probabilities, the row's and the method's own."

CLAIMS = (
    Claim(
        name="table-1-dpo",
        statement="DPO is Eq. 17 with the reference as the opponent, the backward divergence and "
        "an infinite target.",
        source=SOURCE,
        test=f"Both losses on margins of -6 to 6 nats; {_ROW[0].lower()}{_ROW[1:]} Holds where "
        f"neither differs by {SAME:g}.",
        find=row_dpo,
        commands=(
            "simulate --game knob --algorithms dpo --mode gradient --iterations 5",
            "simulate --game knob --algorithms dpo --iterations 5",
        ),
    ),
    Claim(
        name="table-1-dno",
        statement="DNO is Eq. 17 with pi_t as the opponent, the backward divergence and an "
        "infinite target.",
        source=SOURCE,
        test=f"{_ROW} Holds where no probability differs by {SAME:g}.",
        find=row_dno,
        commands=(
            "simulate --game knob --algorithms dno,dpo-iterative,mwu --temperature 2 "
            "--iterations 20",
        ),
    ),
    Claim(
        name="table-1-spin",
        statement="SPIN is Eq. 17 with pi_t as the opponent, the backward divergence and an "
        "infinite target.",
        source=SOURCE,
        test=f"{_ROW} Holds where no probability differs by {SAME:g}.",
        find=row_spin,
        commands=(
            "simulate --game cyclic --algorithms spin --set demonstrations=[0.2,0.3,0.5] "
            "--iterations 50",
        ),
    ),
    Claim(
        name="table-1-simpo",
        statement="SimPO is Eq. 17 with one player, the backward divergence and an infinite "
        "target.",
        source=SOURCE,
        test=f"{_LOSS} Holds where they do not differ by {SAME:g}.",
        find=row_simpo,
    ),
    Claim(
        name="table-1-cpo",
        statement="CPO is Eq. 17 with one player, the backward divergence and an infinite target.",
        source=SOURCE,
        test=f"{_LOSS} Holds where they do not differ by {SAME:g}.",
        find=row_cpo,
    ),
)
