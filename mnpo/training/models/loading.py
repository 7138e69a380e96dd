"""Loading a policy and its tokenizer from a checkpoint, never more than it holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from mnpo.errors import DamagedRun, UserError
from mnpo.training.models.hashing import adapter_base, read_config, stored_tensors, weight_files
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.quiet import quiet
from mnpo.training.models.settings import ModelSettings
from mnpo.training.tokens import TokenContract, contract_of

_ATTENTION = {"sdpa": "sdpa", "flex": "flex_attention", "eager": "eager"}


def load_policy(
    checkpoint: PolicyCheckpoint,
    settings: ModelSettings,
    device: torch.device | str,
    *,
    for_training: bool,
) -> PreTrainedModel:
    """A policy in memory.

    For training the weights are float32 whatever the precision of the arithmetic, dropout is as
    the model configures it, and with ``settings.lora`` an adapter (B = 0, so the policy does not
    change) is added and all other weights are frozen. A checkpoint that is an adapter is loaded on
    its base.

    Args:
        checkpoint: the directory.
        settings: precision, attention, adapter; their name is not looked at, and gradient
            checkpointing is for training to turn on and off.
        device: where to.
        for_training: train mode and float32, else evaluation mode and ``settings.precision``.

    Raises:
        UserError: pickled weights, code that the settings do not allow, weights that do not fit
            the configuration, or an unknown architecture.
        DamagedRun: a truncated file.
    """
    base = adapter_base(checkpoint.path)
    model = _load_whole(base or checkpoint.path, settings, torch.device(device), for_training)
    if base is not None:
        if for_training and settings.lora is None:
            raise UserError(
                f"{checkpoint.path}: is a LoRA adapter, and model.lora is not set; set it, or "
                "merge the adapter into its base"
            )
        for path in weight_files(checkpoint.path):
            stored_tensors(path)
        with quiet():
            model.load_adapter(str(checkpoint.path), is_trainable=for_training)
    elif for_training and settings.lora is not None:
        _add_adapter(model, settings)
    if for_training and settings.lora is not None:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_("lora_" in name)
    untyped: Any = model
    if for_training:
        _make_saveable(model, checkpoint.path)
    untyped.to(device)  # an adapter is made on the CPU
    untyped.train(for_training)
    return model


def require_loadable(checkpoint: PolicyCheckpoint, settings: ModelSettings) -> None:
    """Refuse by the configuration alone a model that could not be loaded later.

    Raises:
        UserError: an unknown architecture, or code that the settings do not allow.
        DamagedRun: a file of weights is truncated.
    """
    folder = adapter_base(checkpoint.path) or checkpoint.path
    for path in weight_files(folder):
        stored_tensors(path)
    _load_config(folder, settings)


def load_tokenizer(
    checkpoint: PolicyCheckpoint, *, trust_remote_code: bool = False
) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint.

    Raises:
        UserError: there is none, or it needs code that is not allowed.
    """
    if not (checkpoint.path / "tokenizer_config.json").is_file():
        raise UserError(f"{checkpoint.path}: holds no tokenizer_config.json")
    _require_code_allowed(checkpoint.path, "tokenizer_config.json", trust_remote_code)
    with quiet():
        try:
            tokenizer = AutoTokenizer.from_pretrained(
                str(checkpoint.path), trust_remote_code=trust_remote_code, local_files_only=True
            )
        # Rust raises plain Exception for a broken tokenizer.json, so no narrower type will do.
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(
                f"{checkpoint.path}: its tokenizer cannot be loaded: {reason}"
            ) from None
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise UserError(f"{checkpoint.path}: holds no tokenizer of the transformers library")
    return tokenizer


def load_contract(
    checkpoint: PolicyCheckpoint, *, trust_remote_code: bool = False
) -> TokenContract:
    """The token contract of a checkpoint: end tokens of the generation configuration included.

    Raises:
        UserError: as `load_tokenizer` and `contract_of`.
    """
    tokenizer = load_tokenizer(checkpoint, trust_remote_code=trust_remote_code)
    return contract_of(tokenizer, generation_end_ids(checkpoint.path))


def generation_end_ids(folder: Path) -> tuple[int, ...]:
    """Ids that end a response according to generation_config.json; () without that file.

    Raises:
        DamagedRun: the file is not JSON, or its entry no list of ids.
    """
    path = folder / "generation_config.json"
    if not path.is_file():
        return ()
    found = read_config(path).get("eos_token_id")
    ids = found if isinstance(found, list) else [] if found is None else [found]
    if not all(isinstance(i, int) for i in ids):
        raise DamagedRun(f"{path}: eos_token_id is {json.dumps(found)}, expected ids")
    return tuple(ids)


def require_same_tokens(checkpoints: Mapping[str, PolicyCheckpoint]) -> TokenContract:
    """Refuse models that do not share tokenizer and chat template.

    Args:
        checkpoints: what messages call each model -> the model; the first one is the policy.

    Returns:
        the policy's contract.

    Raises:
        TokenDrift: with the hashes of both.
    """
    contracts = {name: load_contract(item) for name, item in checkpoints.items()}
    first, *others = contracts
    for other in others:
        contracts[first].require_same(contracts[other], first, other)
    return contracts[first]


def _load_whole(
    folder: Path, settings: ModelSettings, device: torch.device, for_training: bool
) -> PreTrainedModel:
    for path in weight_files(folder):
        stored_tensors(path)  # a truncated file is refused before it is loaded
    config = _load_config(folder, settings)
    attention = settings.attention
    if attention == "auto":
        attention = "flex" if device.type == "cuda" else "sdpa"
    from_pretrained: Any = AutoModelForCausalLM.from_pretrained
    in_float32 = for_training or settings.precision == "float32"
    with quiet():
        try:
            model, info = from_pretrained(
                str(folder),
                config=config,
                dtype=torch.float32 if in_float32 else torch.bfloat16,
                attn_implementation=_ATTENTION[attention],
                use_safetensors=True,
                trust_remote_code=settings.trust_remote_code,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # reported and refused below
            )
        except (ValueError, KeyError, RuntimeError, ImportError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"{folder}: cannot be loaded: {reason}") from None
    for what in ("missing_keys", "mismatched_keys"):
        if info[what]:
            keys = (key if isinstance(key, str) else key[0] for key in info[what])
            first = min(keys)
            raise UserError(
                f"{folder}: the weights do not fit config.json: {first} is "
                f"{'missing' if what == 'missing_keys' else 'of another shape'}"
            )
    if not isinstance(model, PreTrainedModel):
        raise UserError(f"{folder}: holds no model of the transformers library")
    untyped: Any = model
    untyped.to(device)
    return model


def _load_config(folder: Path, settings: ModelSettings) -> PretrainedConfig:
    _require_code_allowed(folder, "config.json", settings.trust_remote_code)
    with quiet():
        try:
            config: PretrainedConfig = AutoConfig.from_pretrained(
                str(folder), trust_remote_code=settings.trust_remote_code
            )
        except (ValueError, KeyError, RuntimeError, ImportError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"{folder}: cannot be loaded: {reason}") from None
    return config


def _make_saveable(model: PreTrainedModel, folder: Path) -> None:
    """Refuse before training, not after it, what the library will not write again.

    Some published models set a temperature without sampling; a policy is sampled, so they get it.
    """
    config: Any = model.generation_config
    if config is None:
        return
    with quiet():
        try:
            config.validate(strict=True)
        except ValueError:
            config.do_sample = True
            try:
                config.validate(strict=True)
            except ValueError as error:
                reason = " ".join(str(error).split())
                raise UserError(f"{folder}: generation_config.json is refused: {reason}") from None


def _add_adapter(model: PreTrainedModel, settings: ModelSettings) -> None:
    lora = settings.lora
    assert lora is not None
    targets = lora.target_modules
    alpha: Any = lora.alpha  # peft annotates int and divides by the rank
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=alpha,
        lora_dropout=lora.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # A is random: every method starts from the same
        try:
            model.add_adapter(config)
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"model.lora does not fit the model: {reason}") from None


def _require_code_allowed(folder: Path, name: str, allowed: bool) -> None:
    config = read_config(folder / name)
    if allowed or "auto_map" not in config:
        return
    if name == "config.json" and config.get("model_type") in CONFIG_MAPPING:
        return  # the library has this architecture itself and will not run the model's code
    if name == "tokenizer_config.json" and (folder / "tokenizer.json").is_file():
        return
    raise UserError(
        f"{folder}: needs code that comes with the model; set model.trust_remote_code: true only "
        "if you have read it"
    )
