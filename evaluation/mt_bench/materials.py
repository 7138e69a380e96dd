"""What both ways of judging need: questions, reference answers, templates and their hashes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from evaluation.data.files import BenchmarkFiles
from evaluation.mt_bench.questions import REFERENCE_GUIDED, read_questions, read_turns
from evaluation.mt_bench.templates import JudgeTemplate, named, read_templates
from evaluation.records import Answer, Question, spread
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import sha256_file

References = Literal["official", "corrected"]
#: Of a request to the judge, as FastChat has it.
PARAMETERS: Mapping[str, float | int] = {"temperature": 0.0, "max_tokens": 2048}
#: Templates by (reference-guided, turn), and the output format by which the file calls their kind.
SINGLE = {
    (False, 1): "single-v1",
    (True, 1): "single-math-v1",
    (False, 2): "single-v1-multi-turn",
    (True, 2): "single-math-v1-multi-turn",
}
PAIRWISE = {
    (False, 1): "pair-v2",
    (True, 1): "pair-math-v1",
    (False, 2): "pair-v2-multi-turn",
    (True, 2): "pair-math-v1-multi-turn",
}
RATING_FORM, VERDICT_FORM = "[[rating]]", "[[A]]"


@dataclass(frozen=True)
class Materials:
    """The benchmark's files, read.

    Attributes:
        questions: in the file's order.
        references: texts by turn of the reference-guided questions, by question id.
        templates: by (reference-guided, turn).
        hashes: of files and templates, by role.
        corrected: ids of questions whose reference answers are the user's.
    """

    questions: tuple[Question, ...]
    references: Mapping[str, tuple[str, ...]]
    templates: Mapping[tuple[bool, int], JudgeTemplate]
    hashes: Mapping[str, str]
    corrected: tuple[str, ...] = ()

    def only(self, questions: Collection[str]) -> "Materials":
        """With these questions alone."""
        kept = tuple(own for own in self.questions if own.id in questions)
        return replace(self, questions=kept)

    def template(self, question: Question, turn: int) -> JudgeTemplate:
        """How that turn is judged."""
        return self.templates[question.category in REFERENCE_GUIDED, turn]

    def values(
        self, question: Question, turn: int, answers: Mapping[str, Answer]
    ) -> dict[str, str]:
        """What a template's places are filled with.

        Args:
            question: asked.
            turn: judged.
            answers: by the name of their place: "answer", or "answer_a" and "answer_b".
        """
        if turn == 1:
            found = {"question": question.turns[0]}
            found |= {name: answer.turns[0] for name, answer in answers.items()}
        else:
            turns = range(1, turn + 1)
            found = {f"question_{t}": question.turns[t - 1] for t in turns}
            for name, answer in answers.items():
                found |= {f"{name}_{t}": answer.turns[t - 1] for t in turns}
        for number, text in enumerate(self.references.get(question.id, ()), 1):
            found[f"ref_answer_{number}"] = text
        return found


def read_materials(
    files: BenchmarkFiles,
    names: Mapping[tuple[bool, int], str],
    form: str,
    *,
    references: References,
    limit: int | None,
) -> Materials:
    """Read and check the files.

    Args:
        files: questions, reference_answers, judge_prompts; corrected_references where wanted.
        names: of the templates, by (reference-guided, turn).
        form: the templates' output format.
        references: "corrected" takes the user's reference answers where there are some, the
            official ones elsewhere.
        limit: so many questions, evenly spread; None takes all.

    Raises:
        InvalidSetting: an unknown kind of references, or an impossible limit.
        UserError: a file is missing or wrong, or a reference-guided question has no reference.
    """
    if references not in ("official", "corrected"):
        raise InvalidSetting(f"references must be official or corrected, got {references!r}")
    questions = spread(read_questions(files["questions"]), limit)
    roles = ["questions", "judge_prompts"]
    guided = [question for question in questions if question.category in REFERENCE_GUIDED]
    texts: dict[str, tuple[str, ...]] = {}
    corrected: tuple[str, ...] = ()
    if references == "corrected":
        roles.append("corrected_references")
        path = files.get("corrected_references")
        if path is None:
            raise UserError(
                "mt-bench: there are no corrected references; put yours, in the format of the "
                "official reference answers, into a folder as corrected_references.jsonl and "
                "bring it with 'mnpo-bench data import DIR'"
            )
        own = read_turns(path)
        corrected = tuple(question.id for question in guided if question.id in own)
    if guided:
        roles.append("reference_answers")
        texts = read_turns(files["reference_answers"])
        texts |= {key: own[key] for key in corrected}
        for question in guided:
            if len(texts.get(question.id, ())) < len(question.turns):
                raise UserError(
                    f"mt-bench: question {question.id} ({question.category}) is judged with a "
                    f"reference answer to each of its {len(question.turns)} turns, and "
                    f"{files['reference_answers']} has {len(texts.get(question.id, ()))}"
                )
    path = files["judge_prompts"]
    known = read_templates(path, form)
    needed = sorted(
        {
            (question.category in REFERENCE_GUIDED, turn)
            for question in questions
            for turn in range(1, len(question.turns) + 1)
        }
    )
    templates = {key: named(known, names[key], path) for key in needed}
    hashes = {role: sha256_file(files[role]) for role in roles}
    hashes |= {f"template {own.name}": own.sha256 for own in templates.values()}
    return Materials(
        questions,
        {question.id: texts[question.id] for question in guided},
        templates,
        hashes,
        corrected,
    )


def answered_turns(question: Question, answer: Answer | None) -> int:
    """How many of a question's turns can be judged."""
    return 0 if answer is None else min(len(question.turns), len(answer.turns))
