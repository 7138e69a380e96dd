"""Preference-optimisation losses as pure functions of log-probabilities.

The same functions train a table of softmax logits in `simulators` and a language model in
`mnpo.training`. They take tensors of any leading shape, hyper-parameters by keyword (numbers or
tensors that broadcast), reduce nothing, and keep no state: the caller takes the mean. Build the
log-ratio and margin with `mnpo.losses.margins`; find a loss by name with `get_loss`.

>>> import torch
>>> anchors = torch.log(torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5]]))  # pi_t and ref
>>> policy = torch.log(torch.tensor([0.5, 0.3, 0.2]))
>>> f = log_ratio(policy, anchor_log_probs(anchors, [0.9, 0.1]))
>>> squared_pair_loss(margin(f[0], f[1]), step_size=0.5, preference=0.7)
tensor(0.0822)
"""

from mnpo.losses.card import Badge, Loss
from mnpo.losses.margins import anchor_log_probs, length_normalized, log_ratio, margin
from mnpo.losses.offline import (
    Divergence,
    distill_dpo_loss,
    f_divergence_score,
    f_dpo_loss,
    gshf_loss,
    ipo_loss,
    mio_loss,
    r_dpo_loss,
)
from mnpo.losses.pairwise import (
    backward_kl_pair_loss,
    dno_loss,
    forward_kl_pair_loss,
    logistic_pair_loss,
    squared_pair_loss,
    squared_target_loss,
)
from mnpo.losses.pointwise import kto_loss, kto_reference_point, spin_loss, sppo_pointwise_loss
from mnpo.losses.reference_free import (
    cpo_loss,
    log_odds,
    orpo_loss,
    rrhf_loss,
    simpo_loss,
    slic_hf_loss,
)
from mnpo.losses.table import LOSSES, get_loss, list_losses
from mnpo.losses.values import Number

__all__ = [
    "LOSSES",
    "Badge",
    "Divergence",
    "Loss",
    "Number",
    "anchor_log_probs",
    "backward_kl_pair_loss",
    "cpo_loss",
    "distill_dpo_loss",
    "dno_loss",
    "f_divergence_score",
    "f_dpo_loss",
    "forward_kl_pair_loss",
    "get_loss",
    "gshf_loss",
    "ipo_loss",
    "kto_loss",
    "kto_reference_point",
    "length_normalized",
    "list_losses",
    "log_odds",
    "log_ratio",
    "logistic_pair_loss",
    "margin",
    "mio_loss",
    "orpo_loss",
    "r_dpo_loss",
    "rrhf_loss",
    "simpo_loss",
    "slic_hf_loss",
    "spin_loss",
    "sppo_pointwise_loss",
    "squared_pair_loss",
    "squared_target_loss",
]
