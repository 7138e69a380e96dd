"""Arena-Hard for the harness: questions, calls in both orders, scores, official files."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path

from evaluation.arena_hard.answers_file import StoredAnswer
from evaluation.arena_hard.artefacts import JudgedAnswer, official_files
from evaluation.arena_hard.baselines import read_baselines
from evaluation.arena_hard.config import CategoryPrompt, JudgeConfig, read_config, read_prompts
from evaluation.arena_hard.contract import VerdictContract
from evaluation.arena_hard.judged import Collected, Judged
from evaluation.arena_hard.questions_file import ArenaQuestion, read_questions
from evaluation.arena_hard.scoring import score_verdicts
from evaluation.arena_hard.template import Template
from evaluation.arena_hard.verdicts import grade
from evaluation.arena_hard.versions import Version, version_of
from evaluation.benchmark import Verdicts
from evaluation.data.files import BenchmarkFiles
from evaluation.gaps import reason_notes
from evaluation.records import ModelAnswers, Question, spread
from evaluation.scores import Scores
from mnpo.conversation import Message
from mnpo.errors import UserError
from mnpo.judging.calls import Call, Comparison, Outcome
from mnpo.runs.files import digest, sha256_file

#: Roles of the benchmark's files. The last two are needed only where the others do not hold what
#: is in them: judge_prompts is `utils/judge_utils.py` of the benchmark's repository.
ROLES = ("questions", "baseline_answers", "config", "judge_prompts", "baseline_answers_creative")


def open_benchmark(
    files: BenchmarkFiles, *, version: str = "v0.1", limit: int | None = None
) -> "ArenaHard":
    """The benchmark from its own files.

    Args:
        files: questions, baseline_answers, config; judge_prompts where the configuration has no
            system prompt (that of 2025 has none); baseline_answers_creative for v2.0's creative
            writing, which is left out without them.
        version: "v0.1" or "v2.0".
        limit: so many questions, evenly spread; None takes all.

    Raises:
        InvalidSetting: an unknown version or an impossible limit.
        UserError: a file is missing, is of another version, or has no system prompt or baseline
            answer for a question.
    """
    own = version_of(version)
    config = read_config(files["config"])
    if config.bench_name != own.benchmark:
        raise UserError(f"{files['config']}: is for {config.bench_name}, not for {own.benchmark}")
    questions = read_questions(files["questions"], own)
    notes = []
    if "creative_writing" in own.categories and files.get("baseline_answers_creative") is None:
        questions = tuple(q for q in questions if q.category != "creative_writing")
        notes.append(
            "creative_writing was not asked: the answers of its baseline "
            f"{own.categories['creative_writing'].baseline} are not on this machine"
        )
    questions = spread(questions, limit)
    categories = tuple(
        name for name in own.categories if any(q.category == name for q in questions)
    )
    prompts = _prompts(files, own, config, categories)
    return ArenaHard(
        own,
        config,
        questions,
        prompts,
        read_baselines(files, questions, prompts),
        {role: sha256_file(files.paths[role]) for role in ROLES if role in files.paths},
        tuple(notes),
    )


class ArenaHard:
    """Either version; see `evaluation.benchmark.Benchmark`.

    Attributes:
        config: the published judge settings, among them how often the official code asks again.
    """

    def __init__(
        self,
        version: Version,
        config: JudgeConfig,
        questions: Sequence[ArenaQuestion],
        prompts: Mapping[str, CategoryPrompt],
        baselines: Mapping[str, Mapping[str, StoredAnswer]],
        hashes: Mapping[str, str],
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name = version.benchmark
        self.config = config
        self._version, self._questions, self._prompts = version, tuple(questions), dict(prompts)
        self._baselines, self._hashes, self._notes = baselines, dict(hashes), notes
        self._template = Template.parse(config.template)
        self._contract = VerdictContract(config)
        self._names = {
            category: f"{self.name}/{category}@{digest([config.template, own.system_prompt])[:12]}"
            for category, own in self._prompts.items()
        }

    def questions(self) -> tuple[Question, ...]:
        """One turn each; the benchmark prescribes no sampling settings of the answers."""
        return tuple(Question(q.id, (q.text,), q.category) for q in self._questions)

    def only(self, questions: Collection[str]) -> "ArenaHard":
        """With these questions alone."""
        own = copy(self)
        own._questions = tuple(q for q in self._questions if q.id in questions)
        return own

    def hashes(self) -> Mapping[str, str]:
        """sha256 of the benchmark's files, and hashes of the templates."""
        return self._hashes | {f"template {name}": text for name, text in self._names.items()}

    def calls(self, answers: ModelAnswers) -> Iterator[Call]:
        """Two for each answer: the baseline first, then the model first.

        Raises:
            UserError: the model is the baseline.
        """
        for question in self._questions:
            if question.id in answers.answers:
                yield from self._games(answers, question)

    def score(
        self,
        answers: Sequence[ModelAnswers],
        verdicts: Verdicts,
        *,
        judge: str,
        allow_missing: bool = False,
    ) -> Scores:
        """All figures; with style control, for the answers are there.

        Raises:
            UserError: answers or verdicts are missing: how many of which model.
        """
        judged: list[Judged] = []
        reasons: dict[str, int] = {}
        for own in answers:
            for question in self._questions:
                games = self._outcomes(own, question, verdicts)
                for outcome in games:
                    if outcome.value is None:
                        reasons[outcome.missing] = reasons.get(outcome.missing, 0) + 1
                first, second = (
                    None if outcome.value is None else grade(outcome.value, number)
                    for number, outcome in enumerate(games)
                )
                judged.append(
                    Judged(
                        own.model,
                        question.id,
                        question.category,
                        self._prompts[question.category].baseline,
                        (first, second),
                        f"{own.model}, question {question.id}",
                    )
                )
        if not judged:
            raise UserError(f"{self.name}: no answers to score")
        notes = list(self._notes)
        notes += reason_notes(reasons, "verdicts")
        stored = {
            own.model: {key: StoredAnswer(_text(own, key), None) for key in own.answers}
            for own in answers
        }
        return score_verdicts(
            Collected(tuple(judged), (), judge, tuple(notes)),
            self._version,
            questions=self._questions,
            answers=stored | dict(self._baselines),
            judge=judge,
            allow_missing=allow_missing,
            hashes=self.hashes(),
            settings={
                "judge": {
                    "official_model": self.config.judge,
                    **self.config.parameters,
                    "regex": list(self.config.patterns),
                    "several_matches": self.config.rule,
                    "official_attempts": self.config.attempts,
                }
            },
        )

    def artefacts(
        self, answers: Sequence[ModelAnswers], verdicts: Verdicts, *, judge: str
    ) -> Iterator[tuple[Path, str]]:
        """``model_answer/`` and ``model_judgment/JUDGE/`` in the configuration's own format."""
        for own in answers:
            rows = [
                JudgedAnswer(
                    question,
                    self._prompts[question.category].baseline,
                    _text(own, question.id),
                    self._asked(own, question, verdicts),
                )
                for question in self._questions
                if question.id in own.answers
            ]
            yield from official_files(own.model, judge, rows, current=self.config.current)

    def _games(self, answers: ModelAnswers, question: ArenaQuestion) -> tuple[Call, Call]:
        prompt = self._prompts[question.category]
        if answers.model == prompt.baseline:
            raise UserError(
                f"{self.name}: {answers.model} is the baseline that all models are compared with"
            )
        model = _text(answers, question.id)
        baseline = self._baselines[prompt.baseline][question.id].text
        shown = ((baseline, model, "BA"), (model, baseline, "AB"))
        first, second = (
            Call(
                item=f"{question.id}/{answers.model}/game-{number}",
                question=question.id,
                messages=(
                    Message("system", prompt.system_prompt),
                    Message("user", self._template.fill(question=question.text, first=a, second=b)),
                ),
                contract=self._contract,
                template=self._names[question.category],
                parameters=self.config.parameters,
                order=order,
                comparison=Comparison((Message("user", question.text),), a, b),
            )
            for number, (a, b, order) in enumerate(shown, 1)
        )
        return first, second

    def _asked(
        self, answers: ModelAnswers, question: ArenaQuestion, verdicts: Verdicts
    ) -> tuple[tuple[Call, Outcome], tuple[Call, Outcome]]:
        first, second = self._games(answers, question)
        return (first, verdicts(first)), (second, verdicts(second))

    def _outcomes(
        self, answers: ModelAnswers, question: ArenaQuestion, verdicts: Verdicts
    ) -> tuple[Outcome, Outcome]:
        if question.id not in answers.answers:
            none = Outcome(None, "the model has no answer")
            return none, none
        (_, first), (_, second) = self._asked(answers, question, verdicts)
        return first, second


def _prompts(
    files: BenchmarkFiles, version: Version, config: JudgeConfig, categories: Sequence[str]
) -> dict[str, CategoryPrompt]:
    """How each category is judged: from the configuration, or from the prompts' file."""
    if config.system_prompt is not None:
        return {
            name: CategoryPrompt(
                config.system_prompt, config.baseline or version.categories[name].baseline
            )
            for name in categories
        }
    path = files.get("judge_prompts")
    if path is None:
        raise UserError(
            f"{files['config']}: has no system prompt for {' and '.join(categories)}; since 2025 "
            "the benchmark keeps them in utils/judge_utils.py: bring that file with "
            f"'mnpo-bench data fetch {version.benchmark}' or 'mnpo-bench data import DIR'"
        )
    found = read_prompts(path)
    lacking = [name for name in categories if name not in found]
    if lacking:
        raise UserError(f"{path}: has no system prompt for {' and '.join(lacking)}")
    return {name: found[name] for name in categories}


def _text(answers: ModelAnswers, question: str) -> str:
    return answers.answers[question].turns[-1]
