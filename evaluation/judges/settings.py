"""How a judge is named: one set of keys for each ``kind``.

For example::

    {kind: local-model, model: smollm2-135m}
    {kind: oracle, oracle: {kind: rule, rule: brevity, target: 40}}

The fields' documentation is the format's documentation. Nothing heavy is imported here.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, Union

import yaml
from pydantic import BeforeValidator, Field, model_validator

from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.settings import EndpointSettings
from mnpo.training.oracles.settings import JudgeSettings, OracleSettings
from mnpo.validation import Settings, check, require_kind


class EndpointJudgeSettings(EndpointSettings):
    """A model behind an OpenAI-compatible endpoint; the keys are `EndpointSettings`'."""

    kind: Literal["endpoint"] = "endpoint"


class LocalModelSettings(Settings):
    """A causal language model of the transformers library, in this process.

    Attributes:
        model: "tiny", "smollm2-135m", a local directory with safetensors, or a hub id; it needs a
            chat template.
        revision: commit or tag of a hub id.
        reads: "choices" compares the log-probabilities of the verdicts that a benchmark declares;
            "text" has the model write its reply, greedily.
        system: "turn" sends a system turn as such; "join" puts its text before the first user
            turn, for chat templates that know no system turn.
        name: what tables and files call it; None makes one of the model's name.
        precision: of weights and arithmetic.
        batch_size: questions in one forward.
        max_tokens: longest question.
        max_reply: longest written reply, in tokens; None takes what the benchmark prescribes.
        trust_remote_code: run code that comes with the model. Off unless asked for.
    """

    kind: Literal["local-model"] = "local-model"
    model: str = Field(min_length=1)
    revision: str | None = None
    reads: Literal["choices", "text"] = "choices"
    system: Literal["turn", "join"] = "turn"
    name: str | None = Field(default=None, min_length=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    batch_size: int = Field(default=8, ge=1)
    max_tokens: int = Field(default=16384, ge=1)
    max_reply: int | None = Field(default=None, ge=1)
    trust_remote_code: bool = False


class OracleJudgeSettings(Settings):
    """A preference oracle of the trainer; it compares two answers and has no words.

    Attributes:
        oracle: as a recipe names it. Not a judge behind an endpoint, alone or in a population: its
            requests would pass by the budget and the store of answers; name it as
            ``kind: endpoint``.
        name: what tables and files call it; None takes the oracle's own.
        batch_size: comparisons that the oracle gets at a time.
    """

    kind: Literal["oracle"] = "oracle"
    oracle: OracleSettings
    name: str | None = Field(default=None, min_length=1)
    batch_size: int = Field(default=32, ge=1)

    @model_validator(mode="after")
    def _no_endpoint_inside(self) -> "OracleJudgeSettings":
        if any(isinstance(part, JudgeSettings) for part in parts_of(self.oracle)):
            raise ValueError(
                "oracle kind judge asks an endpoint past the budget and the store of answers; "
                "name it as a judge of its own with kind: endpoint"
            )
        return self


KINDS: dict[str, type[Settings]] = {
    "endpoint": EndpointJudgeSettings,
    "local-model": LocalModelSettings,
    "oracle": OracleJudgeSettings,
}


def _known_kind_and_keys(value: Any) -> Any:
    return require_kind(value, KINDS)


JudgeSpec: TypeAlias = Annotated[
    Union[EndpointJudgeSettings, LocalModelSettings, OracleJudgeSettings],  # noqa: UP007
    Field(discriminator="kind"),
    BeforeValidator(_known_kind_and_keys),
]


class _One(Settings):
    judge: JudgeSpec


def read_judge(
    source: str | Mapping[str, Any], called: Callable[[str], str] = "{}".format
) -> JudgeSpec:
    """The settings of a judge.

    Args:
        source: a mapping of its keys, a YAML text of one such as ``{kind: local-model, model:
            tiny}``, or the path of a .yaml or .json file with one.
        called: how a message calls a key.

    Raises:
        InvalidSetting: an unknown kind or key, or a wrong value.
        UserError: the file cannot be read, or the text is no mapping.
    """
    values = _mapping(source) if isinstance(source, str) else source
    return check(_One, {"judge": values}, called).judge


def require_distinct(names: list[str]) -> None:
    """Refuse two judges with one name: their verdicts could not be told apart in a table.

    Raises:
        InvalidSetting: naming the first such name.
    """
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InvalidSetting(f"two judges are called '{name}'; give one of them a name: key")


def _mapping(source: str) -> Mapping[str, Any]:
    text, where = source, "judge"
    if source.endswith((".yaml", ".yml", ".json")):
        where = source
        try:
            text = Path(source).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"judge file {source}: cannot be read ({error})") from None
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{where}: is no YAML ({' '.join(str(error).split())[:120]})") from None
    if not isinstance(found, Mapping):
        raise UserError(
            f"{where}: {text[:60]!r} is no judge; name one as a file of its settings or as "
            "'{kind: local-model, model: smollm2-135m}'"
        )
    return found


def parts_of(oracle: Settings) -> list[Settings]:
    """The oracle and all that it is made of."""
    found = [oracle]
    for name in type(oracle).model_fields:
        value = getattr(oracle, name)
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Settings):
                found += parts_of(inner)
    return found
