"""What methods and policies are called: in papers, and in the files of a run.

The trainer's own names are spelled out here, since importing it loads torch.
"""

from mnpo.algorithms.registry import list_algorithms

#: The policy that training starts from.
START = "sft"
#: Command-line name -> name in papers; `label` falls back on the name.
LABELS = {
    "sft": "SFT",
    "mnpo": "TD-MNPO",
    "mnpo-eq10": "MNPO (Eq. 10)",
    "mnpo-eq15": "MNPO (Eq. 15)",
    "ht-mnpo": "HT-MNPO",
    "eo-mnpo": "EO-MNPO",
    "inpo": "INPO",
    "sppo": "SPPO",
    "sppo-practical": "SPPO (practical)",
    "dpo": "DPO",
    "dpo-online": "Online DPO",
    "dpo-iterative": "Iterative DPO",
    "ipo": "IPO",
    "ipo-online": "Online IPO",
    "dno": "DNO",
    "spin": "SPIN",
    "nash-md": "Nash-MD",
    "nash-ema": "Nash-EMA",
    "onpo": "ONPO",
    "egpo": "EGPO",
    "mmd": "MMD",
    "mpo": "MPO",
    "comal": "COMAL",
    "mwu": "MWU",
    "simpo": "SimPO",
    "orpo": "ORPO",
    "kto": "KTO",
    "cpo": "CPO",
    "rrhf": "RRHF",
    "slic-hf": "SLiC-HF",
    "r-dpo": "R-DPO",
}


def label(algorithm: str) -> str:
    """In papers; of a player, "HT-MNPO, player 1"."""
    method, _, player = algorithm.partition("/player-")
    named = LABELS.get(method, method)
    return f"{named}, player {player}" if player else named


def policy_name(algorithm: str, seed: int) -> str:
    """Of a policy in its run's files: "ht-mnpo-seed-0-player-1" for ht-mnpo/player-1, seed 0."""
    method, _, player = algorithm.partition("/player-")
    return f"{method}-seed-{seed}" + (f"-player-{player}" if player.isdigit() else "")


def known_algorithms() -> set[str]:
    """Names that a filter may hold although no run has them: a typing error is none of these."""
    return {entry.name for entry in list_algorithms()} | set(LABELS)
