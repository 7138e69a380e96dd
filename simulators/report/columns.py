"""The columns that a table of results can have, the most important first."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: of ``summary.csv``, or ``runs``.
        title: its heading.
        short: its heading where there is little room.
        about: one sentence for the reader who does not know it.
        kind: "setting", "verdict", "metric" or "cost".
        importance: the least important go first when there is no room; 0 is for the page only.
    """

    key: str
    title: str
    short: str
    about: str
    kind: str
    importance: int


METRICS = (
    Column("gap_last", "gap", "gap", "duality gap of the last policy (Eq. 4)", "metric", 90),
    Column(
        "gap_average",
        "gap of average",
        "avg gap",
        "duality gap of the average of all policies played",
        "metric",
        85,
    ),
    Column(
        "regularized_gap_last",
        "regularised gap",
        "reg. gap",
        "duality gap of the last policy in the KL-regularised game",
        "metric",
        84,
    ),
    Column(
        "kl_to_regularized_equilibrium",
        "KL to reg. equilibrium",
        "KL to eq",
        "KL(regularised equilibrium ‖ last policy), in nats",
        "metric",
        60,
    ),
    Column(
        "fitted_multiplier",
        "rate fitted",
        "rate",
        "factor per iteration by which the distance to the regularised equilibrium shrinks",
        "metric",
        70,
    ),
    Column(
        "predicted_multiplier",
        "rate predicted",
        "theory",
        "the same factor from the local theory, where it applies; 1 or more does not converge",
        "metric",
        65,
    ),
    Column(
        "external_regret",
        "external regret",
        "regret",
        "summed regret against the best fixed action",
        "metric",
        0,
    ),
    Column(
        "swap_regret", "swap regret", "swap", "summed regret against the best swaps", "metric", 0
    ),
    Column(
        "multiplayer_gap_last",
        "multiplayer gap",
        "Eq. 9",
        "the worst player's gain from its best response (Eq. 9)",
        "metric",
        0,
    ),
    Column(
        "worst_annotator_win_rate",
        "worst annotator",
        "worst",
        "win rate against the reference with the least pleased annotator",
        "metric",
        0,
    ),
    Column(
        "nash_welfare",
        "Nash welfare",
        "welfare",
        "weighted geometric mean of the annotators' win rates against the reference",
        "metric",
        0,
    ),
)
COSTS = (
    Column("iterations", "iterations", "T", "iterations done", "cost", 0),
    Column(
        "oracle_rounds",
        "oracle rounds",
        "rounds",
        "times the preference oracle was consulted",
        "cost",
        50,
    ),
    Column(
        "preference_queries",
        "preference queries",
        "queries",
        "single comparisons asked for",
        "cost",
        56,
    ),
    Column("gradient_steps", "gradient steps", "steps", "gradient steps taken", "cost", 52),
)
ALGORITHM = Column("algorithm", "algorithm", "algorithm", "registry name", "setting", 100)
VERDICT = Column("verdict", "verdict", "verdict", "by the rule below", "verdict", 100)
RUNS = Column("runs", "runs", "runs", "runs behind the row, one a seed", "cost", 82)
