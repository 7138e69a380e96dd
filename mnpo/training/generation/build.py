"""From settings to a backend."""

from transformers import PreTrainedTokenizerBase

from mnpo.training.generation.base import Backend
from mnpo.training.models.settings import ModelSettings
from mnpo.training.recipe import SamplingSettings
from mnpo.training.tokens import TokenContract, contract_of


def build_backend(
    settings: SamplingSettings,
    model: ModelSettings,
    tokenizer: PreTrainedTokenizerBase,
    device: str,
    contract: TokenContract | None = None,
) -> Backend:
    """The backend that ``sampling.backend`` names.

    Args:
        settings: the recipe's ``sampling``.
        model: the recipe's ``model``: precision and attention.
        tokenizer: of the start and of every policy trained from it.
        device: for policies in this process, e.g. "cpu" or "cuda:0".
        contract: the run's; None takes the tokenizer's.

    Raises:
        InvalidSetting: vLLM is asked for and not installed, or the server's settings are missing.
        UserError: the server's key or program is not there.
    """
    rules = contract_of(tokenizer) if contract is None else contract
    match settings.backend:
        case "transformers":
            from mnpo.training.generation.transformers_backend import TransformersBackend
            from mnpo.training.models.loading import load_policy

            answering = _for_answering(model)
            return TransformersBackend(
                settings,
                rules,
                load=lambda policy: load_policy(policy, answering, device, for_training=False),
            )
        case "server":
            from mnpo.training.generation.server_backend import ServerBackend, require_reachable

            require_reachable(settings)
            return ServerBackend(settings, rules, tokenizer)
        case "vllm":
            from mnpo.training.generation.vllm_backend import VllmBackend, require_vllm

            require_vllm()
            return VllmBackend(settings, rules, model)


def _for_answering(model: ModelSettings) -> ModelSettings:
    # flex attention compiles anew as the cache grows, token by token
    if model.attention in ("auto", "flex"):
        return model.model_copy(update={"attention": "sdpa"})
    return model
