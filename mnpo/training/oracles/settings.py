"""How a recipe names a preference oracle: one set of keys for each ``kind``.

For example a population of two annotators::

    oracle:
      kind: mixture
      annotators:
        - {kind: rule, rule: sentiment}
        - {kind: rule, rule: brevity}
      weights: [0.5, 0.5]

The fields' documentation is the recipe format's documentation. Nothing heavy is imported here.
"""

from typing import Annotated, Any, Literal, TypeAlias, Union

from pydantic import BeforeValidator, Field, model_validator

from mnpo.judging.settings import EndpointBase, Positive
from mnpo.validation import Settings, require_kind


class RuleSettings(Settings):
    """A rule that needs no model beyond an installed package; see `rules`.

    Attributes:
        rule: which one.
        scale: reward difference at which the odds are e to one; None takes the rule's own.
        target: for brevity: the number of words that is best.
        measure: for readability: Flesch reading ease, or the Flesch-Kincaid school grade.
    """

    kind: Literal["rule"] = "rule"
    rule: Literal["sentiment", "readability", "brevity", "relevance", "toxicity"]
    scale: Positive | None = None
    target: int | None = Field(default=None, ge=0)
    measure: Literal["reading-ease", "grade"] | None = None

    @model_validator(mode="after")
    def _options_of_that_rule(self) -> "RuleSettings":
        if self.target is not None and self.rule != "brevity":
            raise ValueError(f"target is an option of rule brevity, not of {self.rule}")
        if self.measure is not None and self.rule != "readability":
            raise ValueError(f"measure is an option of rule readability, not of {self.rule}")
        return self


class SumSettings(Settings):
    """A weighted sum of rewards, with Bradley-Terry preferences on the sum.

    Attributes:
        parts: oracles that have rewards.
        weights: one each, of either sign.
        scale: of the sum.
    """

    kind: Literal["sum"] = "sum"
    parts: tuple["OracleSettings", ...] = Field(min_length=1)
    weights: tuple[float, ...]
    scale: Positive = 1.0

    @model_validator(mode="after")
    def _one_weight_each(self) -> "SumSettings":
        _same_number("parts", self.parts, self.weights)
        return self


class LengthFreeSettings(Settings):
    """A reward with its known dependence on length taken out: r(x, y) - slope * words(y).

    Attributes:
        oracle: one that has rewards.
        reward_per_word: the slope: what one more word is worth to that reward by itself.
        scale: of the corrected reward; None takes the inner oracle's.
    """

    kind: Literal["length-free"] = "length-free"
    oracle: "OracleSettings"
    reward_per_word: float
    scale: Positive | None = None


class RewardModelSettings(Settings):
    """A scalar reward model: a sequence classifier read on prompt and response.

    Attributes:
        model: a local directory or a hub id, with safetensors.
        revision: commit or tag of a hub id.
        head: "logit" reads the one logit of a classification head; "score" reads ``.score`` of a
            custom head that comes as code (ArmoRM and relatives; needs trust_remote_code).
        reads: "chat" renders the conversation with the model's chat template, "pair" gives the
            last turn and the response as a text pair (encoders without a template).
        scale: reward difference at which the odds are e to one.
        precision: of weights and arithmetic; rewards leave as float64.
        batch_size: texts in one forward.
        max_tokens: longest input.
        over_long: "refuse" stops the run, "truncate" cuts the input's end and counts it.
        trust_remote_code: run code that comes with the model. Off unless asked for.
    """

    kind: Literal["reward-model"] = "reward-model"
    model: str
    revision: str | None = None
    head: Literal["logit", "score"] = "logit"
    reads: Literal["chat", "pair"] = "chat"
    scale: Positive = 1.0
    precision: Literal["float32", "bfloat16"] = "float32"
    batch_size: int = Field(default=8, ge=1)
    max_tokens: int = Field(default=4096, ge=1)
    over_long: Literal["refuse", "truncate"] = "refuse"
    trust_remote_code: bool = False


class PairModelSettings(Settings):
    """A causal language model that sees both responses and says which is better.

    Attributes:
        model, revision, precision, batch_size, max_tokens, trust_remote_code: as for reward-model;
            an input that is too long stops the run.
        template: jinja2 text of what the model reads, with ``messages``, ``prompt``,
            ``response_a`` and ``response_b``; None takes the project's own.
        answers: the two answers whose logits are compared; one token each.
        chat: send the rendered text as a user turn under the model's chat template; False sends
            it as it is.
    """

    kind: Literal["pair-model"] = "pair-model"
    model: str
    revision: str | None = None
    template: str | None = None
    answers: tuple[str, str] = ("A", "B")
    chat: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    batch_size: int = Field(default=8, ge=1)
    max_tokens: int = Field(default=8192, ge=1)
    trust_remote_code: bool = False


class JudgeSettings(EndpointBase):
    """A language model behind an OpenAI-compatible endpoint that compares two responses.

    Attributes:
        model, url, api_key_env, seed, extra_body, concurrency, timeout, retries, first_wait,
            max_wait: of the endpoint, see `mnpo.judging.settings.EndpointBase`.
        template: jinja2 text of the question, with ``messages``, ``prompt``, ``response_a``,
            ``response_b`` and ``contract`` (how to answer); None takes the project's own.
        contract: form of the answer: "json" is {"verdict": "A"}, "tag" is <verdict>A</verdict>;
            verdicts are A, B and tie.
        repeats: times each order is asked.
        temperature, max_tokens: of the judge's reply; None leaves the endpoint's own (some models
            want max_completion_tokens instead: put it into extra_body).
        re_asks: further questions after a reply that breaks the contract.
        store: sqlite file of given answers, asked only once; None keeps it in the run directory.
    """

    kind: Literal["judge"] = "judge"
    template: str | None = None
    contract: Literal["json", "tag"] = "json"
    repeats: int = Field(default=1, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)
    max_tokens: int | None = Field(default=512, ge=1)
    re_asks: int = Field(default=3, ge=0)
    store: str | None = None


class MatrixSettings(Settings):
    """A known preference matrix over known responses: an equilibrium that can be computed.

    Attributes:
        actions: the texts; a response must be one of them, exactly.
        matrix: P[i][j], the probability that action i beats action j.
        file: .json, .npy or .csv with that matrix.
        game: a game of the simulator.
        parameters: of the game.
    """

    kind: Literal["matrix"] = "matrix"
    actions: tuple[str, ...] = Field(min_length=2)
    # The oracle's own check says which entries are none.
    matrix: tuple[tuple[Annotated[float, Field(allow_inf_nan=True)], ...], ...] | None = None
    file: str | None = None
    game: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_source(self) -> "MatrixSettings":
        if len(set(self.actions)) < len(self.actions):
            raise ValueError("actions must be distinct texts")
        if sum(source is not None for source in (self.matrix, self.file, self.game)) != 1:
            raise ValueError("give exactly one of matrix, file, game")
        if self.parameters and self.game is None:
            raise ValueError("parameters belong to a game; name it")
        return self


class _Annotators(Settings):
    annotators: tuple["OracleSettings", ...] = Field(min_length=1)


class _WeightedAnnotators(_Annotators):
    weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None

    @model_validator(mode="after")
    def _a_distribution(self) -> "_WeightedAnnotators":
        if self.weights is not None:
            _same_number("annotators", self.annotators, self.weights)
            if abs(sum(self.weights) - 1) > 1e-6:
                raise ValueError(f"weights must sum to one, got {sum(self.weights):g}")
        return self


class MixtureSettings(_WeightedAnnotators):
    """A population: P = sum_a w_a P_a.

    Attributes:
        annotators: the oracles.
        weights: their shares of the population; None is equal ones.
    """

    kind: Literal["mixture"] = "mixture"


class RandomAnnotatorSettings(_WeightedAnnotators):
    """One annotator of the population answers each question, drawn by a seeded hash.

    Attributes:
        annotators, weights: as for mixture, which is the mean over seeds.
        per: "question" draws for a prompt with its responses, "prompt" for the prompt alone:
            the same annotator for it all through the run.
        seed: of the draw.
    """

    kind: Literal["random-annotator"] = "random-annotator"
    per: Literal["question", "prompt"] = "question"
    seed: int = 0


class MajoritySettings(_Annotators):
    """What most annotators prefer.

    Attributes:
        annotators: the oracles, one vote each.
        votes: "independent": each votes as a coin with its own P_a, and P is the probability that
            more votes go to i, half of that of a tie added; "sharp": each votes for what it
            prefers (P_a > 1/2), and P is 1, 1/2 or 0.
    """

    kind: Literal["majority"] = "majority"
    votes: Literal["independent", "sharp"] = "independent"


class NoisySettings(Settings):
    """Label noise: each answer is turned round with probability ``flip``.

    Attributes:
        oracle: whose answers.
        flip: P' = (1 - flip) P + flip (1 - P).
    """

    kind: Literal["noisy"] = "noisy"
    oracle: "OracleSettings"
    flip: float = Field(ge=0, le=0.5)


def _same_number(of: str, items: tuple[Any, ...], weights: tuple[float, ...]) -> None:
    if len(items) != len(weights):
        raise ValueError(f"{len(items)} {of} need as many weights, got {len(weights)}")


def _known_kind_and_keys(value: Any) -> Any:
    return require_kind(value, KINDS)


OracleSettings: TypeAlias = Annotated[
    Union[  # noqa: UP007
        RuleSettings,
        SumSettings,
        LengthFreeSettings,
        RewardModelSettings,
        PairModelSettings,
        JudgeSettings,
        MatrixSettings,
        MixtureSettings,
        MajoritySettings,
        RandomAnnotatorSettings,
        NoisySettings,
    ],
    Field(discriminator="kind"),
    BeforeValidator(_known_kind_and_keys),
]

KINDS: dict[str, type[Settings]] = {
    "rule": RuleSettings,
    "sum": SumSettings,
    "length-free": LengthFreeSettings,
    "reward-model": RewardModelSettings,
    "pair-model": PairModelSettings,
    "judge": JudgeSettings,
    "matrix": MatrixSettings,
    "mixture": MixtureSettings,
    "majority": MajoritySettings,
    "random-annotator": RandomAnnotatorSettings,
    "noisy": NoisySettings,
}

for _model in KINDS.values():
    _model.model_rebuild()
