"""Pair-preference models: a causal language model that reads both responses and answers A or B."""

import inspect
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch

from mnpo.conversation import Message
from mnpo.errors import InvalidSetting
from mnpo.training.models.loading import load_policy, load_tokenizer
from mnpo.training.models.settings import ModelSettings
from mnpo.training.oracles.base import (
    Array,
    OracleFailure,
    PreferenceOracle,
    Question,
    check_matrix,
    distinct,
    excerpt,
    from_upper,
)
from mnpo.training.oracles.comparison import ComparisonTemplate
from mnpo.training.oracles.local_models import (
    Features,
    encode_chat,
    find_model,
    fingerprint,
    length_sorted,
    longest_input,
    out_of_memory,
    padded,
)
from mnpo.training.oracles.settings import PairModelSettings


class PairModel(PreferenceOracle):
    """P(i beats j) from the logits of the two answer tokens, averaged over both orders.

    With p(A | y, y') = sigma(logit_A - logit_B) where y stands first,
    P(i beats j) = (p(A | i, j) + 1 - p(A | j, i)) / 2, so P + P.T = 1 whatever the model's taste
    for a position.

    Args:
        settings: model, template, answers, limits.
        device: as torch calls it.

    Raises:
        UserError: the model is not there or pickled, the template is broken, or an answer is not
            one token.
    """

    def __init__(self, settings: PairModelSettings, *, device: str = "cpu") -> None:
        checkpoint = find_model(settings)
        self.name = f"pair-model({checkpoint.path.name})"
        self._settings = settings
        self._device = device
        self._template = ComparisonTemplate(settings.template, "pair")
        self._tokenizer = load_tokenizer(checkpoint, trust_remote_code=settings.trust_remote_code)
        self._answers = [self._answer_id(text) for text in settings.answers]
        if self._answers[0] == self._answers[1]:
            raise InvalidSetting(f"oracle.answers: {list(settings.answers)} are the same token")
        self._model = load_policy(
            checkpoint,
            ModelSettings(
                name=settings.model,
                precision=settings.precision,
                attention="sdpa",
                trust_remote_code=settings.trust_remote_code,
            ),
            device,
            for_training=False,
        )
        self._keeps = "logits_to_keep" in inspect.signature(self._model.forward).parameters
        self._longest = longest_input(self._model, settings.max_tokens)
        self._fingerprint = fingerprint(checkpoint)

    def describe(self) -> dict[str, Any]:
        """The model by its hashes, the template, the answers."""
        return {
            "kind": "pair-model",
            **self._fingerprint,
            "template": self._template.source,
            "answers": list(self._settings.answers),
            "chat": self._settings.chat,
            "precision": self._settings.precision,
        }

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """Both orders of every pair of different responses.

        Raises:
            OracleFailure: an input is too long, an answer not a finite number, or memory runs out.
        """
        inputs: list[Features] = []
        for question in questions:
            texts, _ = distinct(question.responses)
            for i, j in combinations(range(len(texts)), 2):
                inputs += [
                    self._encode(question, *texts_ij)
                    for texts_ij in ((texts[i], texts[j]), (texts[j], texts[i]))
                ]
        first_wins = iter(self._read(inputs))
        answers = []
        for question in questions:
            texts, index = distinct(question.responses)
            upper = np.full((len(texts), len(texts)), 0.5)
            for i, j in combinations(range(len(texts)), 2):
                upper[i, j] = (next(first_wins) + 1 - next(first_wins)) / 2
            matrix = from_upper(upper, texts)[np.ix_(index, index)]
            answers.append(check_matrix(matrix, question, self.name))
        return answers

    def _answer_id(self, text: str) -> int:
        ids = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) != 1:
            raise InvalidSetting(
                f"oracle.answers: {text!r} is {len(ids)} tokens for {self.name}, not one"
            )
        return int(ids[0])

    def _encode(self, question: Question, first: str, second: str) -> Features:
        text = self._template.render(question.prompt, first, second)
        if self._settings.chat:
            turn = [Message("user", text)]
            features = encode_chat(self._tokenizer, question.prompt, turn, generation_prompt=True)
        else:
            features = dict(self._tokenizer(text))
        length = len(features["input_ids"])
        if length > self._longest:
            raise OracleFailure(
                f"oracle '{self.name}', {excerpt(question.prompt)}: the input has {length} tokens, "
                f"more than {self._longest}; raise oracle.max_tokens if the model can read more, "
                "or shorten the responses"
            )
        return {name: features[name] for name in ("input_ids", "attention_mask")}

    @torch.inference_mode()
    def _read(self, inputs: Sequence[Features]) -> Array:
        """(N,) probability that the response that stands first wins."""
        found = np.empty(len(inputs))
        for batch in length_sorted(inputs, self._settings.batch_size):
            rows = [inputs[n] for n in batch]
            tensors = padded(rows, 0, self._device)  # never attended to, so any id will do
            last = tensors["attention_mask"].sum(dim=1) - 1
            rows_at = torch.arange(len(batch), device=last.device)
            try:
                if self._keeps:  # logits at the rows' ends only, not over all of (L, vocabulary)
                    ends, place = torch.unique(last, return_inverse=True)
                    logits = self._model(**tensors, logits_to_keep=ends, use_cache=False).logits
                else:
                    place, logits = last, self._model(**tensors).logits
            except torch.OutOfMemoryError:
                raise out_of_memory(self.name, len(batch)) from None
            a, b = logits[rows_at, place][:, self._answers].double().unbind(dim=1)
            found[batch] = torch.sigmoid(a - b).cpu().numpy()
        return found
