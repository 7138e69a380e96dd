"""What can be said of a checkpoint without loading its weights."""

import math
from typing import Any

from mnpo.training.models.hashing import adapter_base, read_config, stored_tensors, weight_files
from mnpo.training.models.loading import load_contract, load_tokenizer
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.verifying import HASHES


def model_facts(checkpoint: PolicyCheckpoint) -> dict[str, Any]:
    """JSON-ready: path, hash, architecture, number of weights, token contract.

    Raises:
        UserError: no tokenizer, no chat template, no end token.
        DamagedRun: a file is truncated.
    """
    base = adapter_base(checkpoint.path)
    config = read_config((base or checkpoint.path) / "config.json")
    tensors = [t for path in weight_files(checkpoint.path) for t in stored_tensors(path)]
    tokenizer = load_tokenizer(checkpoint)
    contract = load_contract(checkpoint)
    facts = {
        "path": str(checkpoint.path),
        "sha256": checkpoint.sha256,
        "architecture": config.get("model_type"),
        "weights": sum(math.prod(tensor.shape) for tensor in tensors),
        "stored_as": sorted({tensor.dtype for tensor in tensors}),
        "vocabulary": len(tokenizer),
        "tokenizer_sha256": contract.tokenizer,
        "template_sha256": contract.template,
        "end_tokens": [str(tokenizer.convert_ids_to_tokens(i)) for i in contract.end_ids],
        "saved_by_mnpo_bench": (checkpoint.path / HASHES).is_file(),
    }
    return facts | ({"adapter_of": str(base)} if base else {})
