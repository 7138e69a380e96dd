"""From a recipe's data settings to prompts with token ids, and a report of what was left out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from mnpo.errors import UserError
from mnpo.training.data.encoding import ControlToken, encode_prompt, refuse_control_tokens, shown
from mnpo.training.data.prompts import Prompt
from mnpo.training.data.reading import ReadPrompts, read_prompts
from mnpo.training.data.settings import DataSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class PreparedPrompt:
    """A prompt and its token ids.

    Attributes:
        prompt: the conversation.
        ids: its tokens under the chat template, generation prompt included.
    """

    prompt: Prompt
    ids: tuple[int, ...]

    @property
    def key(self) -> str:
        """Hash of the conversation."""
        return self.prompt.key


@dataclass(frozen=True)
class PartReport:
    """What became of the rows of one part of the data.

    Attributes:
        rows: that were read.
        unusable_pairs: left out, chosen and rejected are the same or one is empty.
        duplicates: left out, the prompt came before.
        set_aside: held out, or beyond the limit.
        over_long: left out, more tokens than the limit.
        control_tokens: left out, a text holds a special token of the tokenizer.
        used: that remain.
        longest: tokens of the longest one that remains.
    """

    rows: int
    unusable_pairs: int
    duplicates: int
    set_aside: int
    over_long: int
    control_tokens: int
    used: int
    longest: int

    def line(self, part: str) -> str:
        """One line for people."""
        left_out = [
            f"{count} {what}"
            for count, what in (
                (self.unusable_pairs, "with chosen = rejected or an empty response"),
                (self.duplicates, "duplicate"),
                (self.set_aside, "set aside"),
                (self.over_long, "too long"),
                (self.control_tokens, "with special tokens in their text"),
            )
            if count
        ]
        rest = f"; left out of {self.rows} rows: {', '.join(left_out)}" if left_out else ""
        return f"{part}: {self.used} prompts, up to {self.longest} tokens{rest}"


@dataclass(frozen=True)
class DataReport:
    """Counts of both parts, and the hashes of the files."""

    train: PartReport
    held_out: PartReport
    hashes: dict[str, str]

    def lines(self) -> list[str]:
        """For people, one line a part."""
        return [self.train.line("training"), self.held_out.line("held out")]

    def describe(self) -> dict[str, Any]:
        """JSON-ready, for manifests."""
        return asdict(self)


@dataclass(frozen=True)
class PreparedData:
    """Training and held-out prompts with their ids; no prompt is in both."""

    train: tuple[PreparedPrompt, ...]
    held_out: tuple[PreparedPrompt, ...]
    report: DataReport


def prepare(settings: DataSettings, tokenizer: "PreTrainedTokenizerBase") -> PreparedData:
    """Read, tokenize and count.

    Held-out prompts are the first ``held_out_size`` usable ones of ``held_out``; without it the
    last ones of the training files, or the embedded held-out prompts where the embedded ones are
    trained on.

    Raises:
        UserError: a file or row is wrong; a prompt is in both parts; a prompt is too long and
            ``over_long`` says refuse; completions are wanted and a prompt has none; nothing is
            left of a part.
    """
    train = read_prompts(settings.prompts)
    held_source = settings.held_out
    if held_source is None and settings.prompts == "embedded":
        held_source = "embedded"
    size = settings.held_out_size
    if held_source is None:
        held, backwards = train, train.prompts[::-1]
        held_ready, held_report = _encode(held, backwards, size, settings, tokenizer, "held-out")
        held_ready = held_ready[::-1]
        taken = {item.key for item in held_ready}
        rest = tuple(prompt for prompt in train.prompts if prompt.key not in taken)
        if not rest:
            raise UserError(
                f"data.held_out_size is {size} and there are {len(train.prompts)} prompts; "
                "lower it, or give data.held_out files"
            )
    else:
        held, rest = read_prompts(held_source, "held-out"), train.prompts
        _refuse_overlap(rest, held.prompts)
        held_ready, held_report = _encode(held, held.prompts, size, settings, tokenizer, "held-out")
    train_ready, train_report = _encode(
        train, rest, settings.limit or len(rest), settings, tokenizer, "training"
    )
    if settings.use_completions:
        _require_completions([item.prompt for item in train_ready])
    return PreparedData(
        train_ready, held_ready, DataReport(train_report, held_report, train.hashes | held.hashes)
    )


def _encode(
    read: ReadPrompts,
    prompts: Sequence[Prompt],
    wanted: int,
    settings: DataSettings,
    tokenizer: "PreTrainedTokenizerBase",
    part: Literal["training", "held-out"],
) -> tuple[tuple[PreparedPrompt, ...], PartReport]:
    """The first ``wanted`` prompts that can be used; those beyond are not looked at."""
    ready: list[PreparedPrompt] = []
    over_long = control_tokens = 0
    for prompt in prompts:
        if len(ready) == wanted:
            break
        try:
            ids = encode_prompt(tokenizer, prompt)
            for text in (*prompt.completions, *prompt.demonstrations):
                refuse_control_tokens(tokenizer, text)
        except ControlToken:
            control_tokens += 1
            continue
        if len(ids) > settings.max_prompt_tokens:
            if settings.over_long == "refuse":
                raise UserError(
                    f"{part} prompt {shown(prompt)} has {len(ids)} tokens, data.max_prompt_tokens "
                    f"is {settings.max_prompt_tokens}; raise it, or set data.over_long: drop"
                )
            over_long += 1
            continue
        ready.append(PreparedPrompt(prompt, ids))
    if not ready:
        raise UserError(
            f"no {part} prompt is left: of {len(prompts)}, {over_long} have more than "
            f"{settings.max_prompt_tokens} tokens and {control_tokens} contain special tokens"
        )
    report = PartReport(
        rows=read.rows,
        unusable_pairs=read.unusable_pairs,
        duplicates=read.duplicates,
        set_aside=len(read.prompts) - len(ready) - over_long - control_tokens,
        over_long=over_long,
        control_tokens=control_tokens,
        used=len(ready),
        longest=max(len(item.ids) for item in ready),
    )
    return tuple(ready), report


def _refuse_overlap(train: Sequence[Prompt], held_out: Sequence[Prompt]) -> None:
    keys = {prompt.key for prompt in train}
    both = [prompt for prompt in held_out if prompt.key in keys]
    if both:
        more = f" and {len(both) - 1} more are" if len(both) > 1 else " is"
        raise UserError(
            f"the prompt {shown(both[0])}{more} both in data.prompts and data.held_out; a "
            "held-out prompt must not be trained on: remove it from one of them"
        )


def _require_completions(prompts: Sequence[Prompt]) -> None:
    for prompt in prompts:
        if len(prompt.completions) < 2:
            raise UserError(
                f"data.use_completions needs chosen and rejected responses, prompt "
                f"{shown(prompt)} has none"
            )
