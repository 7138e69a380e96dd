"""An annotator of the alpaca-eval package: prompt, parameters and parser, read as data."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from evaluation.data.files import BenchmarkFiles
from evaluation.rows import read_text
from mnpo.conversation import Message
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import digest

#: Fields of a template.
FIELDS = ("instruction", "output_1", "output_2")
#: What of an annotator's settings belongs to a request; the rest is about clients and prices.
REQUEST = (
    "max_tokens temperature top_p logprobs top_logprobs stop seed presence_penalty "
    "frequency_penalty"
).split()
#: Other clients' names of the same.
ALIASES = {"max_new_tokens": "max_tokens", "max_tokens_to_sample": "max_tokens"}
PARSERS = ("logprob_parser", "regex_parser", "ranking_parser", "lmsys_parser")
_START, _END = "<|im_start|>", "<|im_end|>"
_FIELD = re.compile(r"\{([^{}\s]+)\}")
#: The package's column of the same name seeds the order, with the seed of its annotators.
_SEED = ("is_switched_outputs", "0")


@dataclass(frozen=True)
class Annotator:
    """How the judge is asked and its reply read.

    Attributes:
        name: in the package.
        template: turns (role, text) with fields in braces.
        parameters: of the request.
        parser: name of the package's function that reads the reply.
        parser_settings: its arguments.
        randomised: whether the two outputs are shown in a random order.
        model: whom the package asks.
    """

    name: str
    template: tuple[tuple[str, str], ...]
    parameters: Mapping[str, Any]
    parser: str
    parser_settings: Mapping[str, Any]
    randomised: bool
    model: str

    @property
    def hash(self) -> str:
        """Of the template."""
        return digest([list(turn) for turn in self.template])[:12]

    def messages(self, instruction: str, first: str, second: str) -> tuple[Message, ...]:
        """The question, every field filled once: braces or tags in an answer stay what they are.

        The package fills first and splits into turns afterwards, so that an answer with
        ``<|im_end|>`` in it could end the judge's turn; here it cannot.
        """
        values = {"instruction": instruction, "output_1": first, "output_2": second}
        return tuple(
            Message(role, _FIELD.sub(lambda m: values.get(m[1], m[0]), text).strip())
            for role, text in self.template
        )

    def switched(self, instruction: str) -> bool:
        """Whether the second output is shown first: the package's coin, seeded by the instruction.

        The same instruction is shown in the same order for every model.
        """
        if not self.randomised:
            return False
        return random.Random(_SEED[0] + instruction + _SEED[1]).choices([False, True], k=1)[0]


def open_annotator(name: str, files: BenchmarkFiles) -> Annotator:
    """From the benchmark's files (roles judge_config, judge_prompt) or the installed package.

    Raises:
        InvalidSetting: an unknown annotator, or one that asks in a way that is not supported (the
            message says which).
        UserError: a file cannot be read.
    """
    own = files.get("judge_config")
    if own is not None and name in (config := _load(own)):
        settings, prompt = config[name], files.get("judge_prompt")
        if (
            prompt is not None
            and prompt.name.removesuffix(".gz") == Path(str(settings.get("prompt_template"))).name
        ):
            return _annotator(name, settings, prompt)
    folder = _package()
    for file in ("configs.yaml", "config.yaml"):
        path = folder / name / file
        if "/" not in name and path.is_file() and name in (config := _load(path)):
            return _annotator(name, config[name], folder / str(config[name]["prompt_template"]))
    raise InvalidSetting(
        f"annotator '{name}' is not in the alpaca-eval package; there are "
        + ", ".join(sorted(own.name for own in folder.iterdir() if own.is_dir()))
    )


def _package() -> Path:
    spec = find_spec("alpaca_eval")  # finds it without importing it, which takes seconds
    if spec is None or not spec.submodule_search_locations:
        raise UserError("the package alpaca-eval is not installed")
    return Path(spec.submodule_search_locations[0]) / "evaluators_configs"


def _load(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        found = json.loads(text) if ".json" in path.name else yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    if not isinstance(found, dict) or not all(isinstance(own, dict) for own in found.values()):
        raise UserError(f"{path}: is no configuration of annotators")
    return found


def _annotator(name: str, settings: Mapping[str, Any], prompt: Path) -> Annotator:
    given = dict(settings.get("completions_kwargs") or {})
    request = {ALIASES.get(key, key): value for key, value in given.items()}
    parser = str(settings.get("fn_completion_parser", "regex_parser"))
    reading = dict(settings.get("completion_parser_kwargs") or {})
    refusals = {
        f"it reads replies with {parser}": parser not in PARSERS,
        "it answers by calling a function": any(
            key in request for key in ("tools", "functions", "tool_choice", "function_call")
        ),
        "it asks about several instructions at once": settings.get("batch_size", 1) != 1,
        "it changes prompts or replies with processors": bool(settings.get("processors_to_kwargs")),
        "it reads another token than the first": (
            reading.get("log_prob_index", "batch") not in ("batch", 0)
            or (parser == "logprob_parser" and request.get("max_tokens") != 1)
        ),
    }
    template = () if any(refusals.values()) else _turns(read_text(prompt))
    refusals["its prompt has no turns of the form <|im_start|>role"] = template is None
    fields = {field for _, text in template or () for field in _FIELD.findall(text)}
    refusals[f"its prompt has not exactly the fields {', '.join(FIELDS)}"] = (
        bool(template) and not set(FIELDS) <= fields
    )
    why = [reason for reason, is_so in refusals.items() if is_so]
    if why or template is None:
        raise InvalidSetting(
            f"annotator '{name}' is not supported: {why[0]}; supported are chat prompts about one "
            f"instruction whose replies {', '.join(PARSERS)} can read, as "
            "weighted_alpaca_eval_gpt4_turbo, alpaca_eval_clf_gpt4_turbo, alpaca_eval_gpt4, "
            "chatgpt and lmsys_gpt4"
        )
    return Annotator(
        name,
        template,
        {key: request[key] for key in REQUEST if key in request},
        parser,
        reading,
        bool(settings.get("is_randomize_output_order", True)),
        str(request.get("model_name", "")),
    )


def _turns(text: str) -> tuple[tuple[str, str], ...] | None:
    text = text.strip()
    if not (text.startswith(_START) and text.endswith(_END)):
        return None
    turns = []
    for part in text.split(_START)[1:]:
        role, _, content = part.partition("\n")
        if role.strip() not in ("system", "user", "assistant"):
            return None
        turns.append((role.strip(), content.split(_END, 1)[0]))
    return tuple(turns)
