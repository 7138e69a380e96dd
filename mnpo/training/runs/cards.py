"""What the model card of an exported policy says: the method's whole run, not one stage of it."""

from mnpo.runs.environment import environment
from mnpo.training.methods import Method
from mnpo.training.models.card import ModelCard
from mnpo.training.runs.results import MethodResult
from mnpo.training.workbench import Workbench


def card_of(bench: Workbench, method: Method, result: MethodResult, player: int) -> ModelCard:
    """The card of one player's final policy.

    Args:
        bench: of the run.
        method: what was trained.
        result: what came of it; the ledger is that of all its players.
        player: whose policy, from 0.
    """
    iterations = len(result.policies[player]) - 1
    summary = f"Trained with mnpo-bench for {iterations} iterations, seed {result.seed}."
    if len(result.policies) > 1:
        summary += (
            f" Player {player + 1} of {len(result.policies)}, which were trained side by side and "
            "share the cost below."
        )
    return ModelCard(
        title=f"{method.name} on {bench.recipe.model.name}",
        algorithm=method.name,
        base_model=bench.recipe.model.name,
        base_sha256=bench.start.sha256,
        summary=summary,
        parameters=method.describe()["parameters"],
        recipe=bench.recipe.model_dump(mode="json"),
        data=bench.data.hashes,
        ledger=result.ledger.describe(),
        versions=environment()["versions"],
    )
