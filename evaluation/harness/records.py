"""One record of a benchmark's file, brought into the form that lm-eval's definition expects."""

from collections.abc import Callable, Mapping
from typing import Any

from evaluation.rows import Row
from mnpo.errors import UserError

Document = dict[str, Any]


def to_document(task: str, row: Row) -> Document:
    """A record of any of the forms in which the benchmark is handed round.

    Raises:
        UserError: a field is missing or not what it should be; the message names the row.
    """
    return _READERS[task](row)


def _fields(row: Row, names: Mapping[str, type | tuple[type, ...]]) -> Document:
    for name, kind in names.items():
        if name not in row.values:
            raise UserError(f"{row.where}: has no {name}")
        if not isinstance(row.values[name], kind) or isinstance(row.values[name], bool):
            raise UserError(f"{row.where}: {name} is {row.values[name]!r:.60}")
    return {name: row.values[name] for name in names}


def _ifeval(row: Row) -> Document:
    found = _fields(
        row, {"key": (int, str), "prompt": str, "instruction_id_list": list, "kwargs": list}
    )
    if len(found["kwargs"]) != len(found["instruction_id_list"]):
        raise UserError(
            f"{row.where}: {len(found['instruction_id_list'])} instructions have "
            f"{len(found['kwargs'])} kwargs"
        )
    return found


def _gpqa(row: Row) -> Document:
    names = ("Question", "Correct Answer", *(f"Incorrect Answer {i}" for i in (1, 2, 3)))
    return _fields(row, dict.fromkeys(names, str))


def _mmlu(row: Row) -> Document:
    found = _fields(row, {"subject": str, "question": str, "choices": list, "answer": int})
    if len(found["choices"]) != 4 or not 0 <= found["answer"] < 4:
        raise UserError(f"{row.where}: needs 4 choices and an answer from 0 to 3")
    return found


def _arc(row: Row) -> Document:
    if "query" not in row.values:  # the form of the benchmark's authors
        return _fields(row, {"question": str, "choices": dict, "answerKey": str})
    found = _fields(row, {"query": str, "choices": list, "gold": int})
    question = found["query"].removeprefix("Question: ").removesuffix("\nAnswer:")
    labels = [chr(ord("A") + i) for i in range(len(found["choices"]))]
    if not 0 <= found["gold"] < len(labels):
        raise UserError(f"{row.where}: gold is {found['gold']}, of {len(labels)} choices")
    return {
        "question": question,
        "choices": {"text": found["choices"], "label": labels},
        "answerKey": labels[found["gold"]],
    }


def _hellaswag(row: Row) -> Document:
    """After lm-eval's own preparation, which the definition is then told to leave out."""
    if "query" in row.values:
        found = _fields(row, {"query": str, "choices": list, "gold": int})
    else:
        from lm_eval.tasks.hellaswag.utils import preprocess

        names = {"activity_label": str, "ctx_a": str, "ctx_b": str, "endings": list}
        raw = _fields(row, names | {"label": (str, int)})
        context = f"{raw['activity_label']}: {raw['ctx_a']} {raw['ctx_b'].capitalize()}"
        found = {
            "query": preprocess(context),
            "choices": [preprocess(ending) for ending in raw["endings"]],
            "gold": int(raw["label"]),
        }
    if not 0 <= found["gold"] < len(found["choices"]):
        raise UserError(f"{row.where}: gold is {found['gold']}, of {len(found['choices'])} choices")
    return found | {"label": str(found["gold"])}


def _truthfulqa(row: Row) -> Document:
    """The multiple-choice file where there is one, else choices made from the table of answers.

    Made as TruthfulQA's own code makes them (Lin et al. 2022): the best answer against the false
    ones for MC1, all true against all false for MC2, each with a full stop at its end.
    """
    if "mc1_targets" in row.values:
        return {"question": row.text("question")} | {
            name: _targets(row, name) for name in ("mc1_targets", "mc2_targets")
        }
    best = _with_stop(row.text("Best Answer").strip())
    true = _answers(row.text("Correct Answers"))
    false = _answers(row.text("Incorrect Answers"))
    if not (best and true and false):
        raise UserError(f"{row.where}: needs a best, a correct and an incorrect answer")
    return {
        "question": row.text("Question"),
        "mc1_targets": {"choices": [best, *false], "labels": [1] + [0] * len(false)},
        "mc2_targets": {"choices": true + false, "labels": [1] * len(true) + [0] * len(false)},
    }


def _targets(row: Row, name: str) -> Document:
    found = row.values.get(name)
    if isinstance(found, dict) and set(found) == {"choices", "labels"}:
        return found
    if isinstance(found, dict) and found and set(found.values()) <= {0, 1}:
        return {"choices": list(found), "labels": list(found.values())}
    raise UserError(f"{row.where}: {name} holds no choices with labels 0 and 1")


def _answers(text: str) -> list[str]:
    return [_with_stop(part.strip()) for part in text.strip().split(";") if part.strip()]


def _with_stop(text: str) -> str:
    return text if not text or text.endswith(".") else text + "."


def _winogrande(row: Row) -> Document:
    found = _fields(row, dict.fromkeys(("sentence", "option1", "option2", "answer"), str))
    if found["answer"] not in ("1", "2") or "_" not in found["sentence"]:
        raise UserError(f"{row.where}: needs a gap '_' in the sentence and an answer '1' or '2'")
    return found


def _gsm8k(row: Row) -> Document:
    found = _fields(row, {"question": str, "answer": str})
    if "####" not in found["answer"]:
        raise UserError(f"{row.where}: the answer has no '#### NUMBER'")
    return found


def _minerva(row: Row) -> Document:
    found = _fields(row, {"problem": str, "solution": str})
    if "\\boxed" not in found["solution"]:
        raise UserError(f"{row.where}: the solution has no \\boxed answer")
    return found


def _aime(row: Row) -> Document:
    answer = row.values.get("Answer", row.values.get("answer"))
    if not isinstance(answer, (str, int)) or isinstance(answer, bool):
        raise UserError(f"{row.where}: the answer is {answer!r}")
    return {"Problem": row.text("Problem", "problem", "question"), "Answer": str(answer)}


def _humaneval(row: Row) -> Document:
    return _fields(row, dict.fromkeys(("task_id", "prompt", "test", "entry_point"), str))


_READERS: dict[str, Callable[[Row], Document]] = {
    "ifeval": _ifeval,
    "gpqa": _gpqa,
    "mmlu": _mmlu,
    "arc": _arc,
    "hellaswag": _hellaswag,
    "truthfulqa": _truthfulqa,
    "winogrande": _winogrande,
    "gsm8k": _gsm8k,
    "minerva-math": _minerva,
    "aime24": _aime,
    "humaneval": _humaneval,
}
