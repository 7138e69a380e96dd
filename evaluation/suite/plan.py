"""What an evaluation would do and cost, before anybody is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.answers.endpoint import questions_calls
from evaluation.judges.build import concurrency_of, is_computed, price_of
from evaluation.pool.benchmark import CrossPlayBenchmark
from evaluation.records import Question
from evaluation.suite.opening import Suite
from evaluation.suite.placeholders import placeholders
from mnpo.judging.cache import AnswerCache
from mnpo.judging.estimate import Estimate, duration, estimate


@dataclass(frozen=True)
class EvaluationPlan:
    """What is to be generated and asked.

    Attributes:
        answers: by benchmark: questions that models still answer, and tokens they write at most.
        judging: by (benchmark, judge).
        speaking: answers of models behind endpoints, by (benchmark, model).
        lm_eval: whether lm-eval's tasks are run as well.
        computed: judges that are rules: they answer at once, for nothing.
    """

    answers: Mapping[str, tuple[int, int]]
    judging: Mapping[tuple[str, str], Estimate]
    speaking: Mapping[tuple[str, str], Estimate]
    lm_eval: bool
    computed: frozenset[str] = frozenset()

    @property
    def seconds(self) -> float:
        """Of all asking, one judge or model after the other; rules take none."""
        judging = (own for (_, judge), own in self.judging.items() if judge not in self.computed)
        return sum(own.seconds for own in (*self.speaking.values(), *judging))

    def describe(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "answers": {
                name: {"questions": questions, "tokens_at_most": tokens}
                for name, (questions, tokens) in self.answers.items()
            },
            "judging": [
                {"benchmark": benchmark, "judge": judge, **found.json()}
                for (benchmark, judge), found in self.judging.items()
            ],
            "endpoints": [
                {"benchmark": benchmark, "model": model, **found.json()}
                for (benchmark, model), found in self.speaking.items()
            ],
            "lm_eval": self.lm_eval,
            "seconds_of_asking": self.seconds,
        }

    def lines(self) -> list[str]:
        """For people."""
        found = [
            f"{name}: {questions:,} answers to be generated, at most {tokens:,} tokens"
            for name, (questions, tokens) in self.answers.items()
            if questions
        ]
        for (benchmark, model), own in self.speaking.items():
            found += [f"{benchmark}, answers of {model}:", *(f"  {line}" for line in own.lines())]
        for (benchmark, judge), own in self.judging.items():
            lines = _of_rule(own) if judge in self.computed else _paid_for(own)
            found += [f"{benchmark}, judge {judge}:", *(f"  {line}" for line in lines)]
        if any(questions for questions, _ in self.answers.values()):
            found.append("answers that are not there yet count at their full length")
        if self.lm_eval:
            found.append("lm-eval: its tasks are run on every model; no judge is asked")
        asked = [own for own in (*self.speaking.values(), *self.judging.values()) if own.asked]
        costs = [own.cost for own in asked]
        if len(asked) > 1 and self.seconds:
            dollars = None if None in costs else sum(cost or 0 for cost in costs)
            price = f"${dollars:.2f} and " if dollars else ""
            found.append(f"all of the asking: about {price}{duration(self.seconds)}")
        return found


def _of_rule(own: Estimate) -> list[str]:
    return [own.lines()[0], "a rule, computed here: no tokens, no cost"]


def _paid_for(own: Estimate) -> list[str]:
    """Without a line about dollars where no tokens are paid for."""
    free = own.cost == 0 and own.cost_bound == 0
    return [line for line in own.lines() if not (free and line.startswith("about $"))]


def make_plan(suite: Suite, cache: Path) -> EvaluationPlan:
    """Count what is to be asked; given answers are taken as they are.

    Args:
        suite: opened.
        cache: the judges' answers; need not be there.
    """
    settings = suite.settings
    answers: dict[str, tuple[int, int]] = {}
    judging: dict[tuple[str, str], Estimate] = {}
    speaking: dict[tuple[str, str], Estimate] = {}
    with AnswerCache(cache) as store:
        for name, benchmark in suite.benchmarks.items():
            questions = benchmark.questions()
            models = [
                suite.given.get((own.name, name))
                or placeholders(own.name, questions, settings.answers.max_new_tokens)
                for own in settings.models
            ]
            asked = [own.name for own in settings.models if (own.name, name) not in suite.given]
            limits = sum(
                len(q.turns) * min(settings.answers.max_new_tokens, q.max_tokens or 10**9)
                for q in questions
            )
            answers[name] = (len(asked) * len(questions), len(asked) * limits)
            speaking |= _speaking(suite, name, questions, store)
            for spec, judge in suite.judges:
                price, concurrency = price_of(spec), concurrency_of(spec)
                if name in suite.judged:
                    judging[name, judge.name] = estimate(
                        (call for own in models for call in benchmark.calls(own)),
                        judge,
                        store,
                        price=price,
                        concurrency=concurrency,
                    )
                if "cross-play" in settings.benchmarks and name == settings.cross_play.questions:
                    pool = CrossPlayBenchmark(
                        questions,
                        opponents=settings.cross_play.opponents,
                        repeats=settings.repeats,
                    )
                    judging["cross-play", judge.name] = estimate(
                        pool.calls_all(models),
                        judge,
                        store,
                        price=price,
                        concurrency=concurrency,
                    )
    computed = frozenset(judge.name for spec, judge in suite.judges if is_computed(spec))
    return EvaluationPlan(answers, judging, speaking, "lm-eval" in settings.benchmarks, computed)


def _speaking(
    suite: Suite, name: str, questions: Sequence[Question], store: AnswerCache
) -> dict[tuple[str, str], Estimate]:
    """What models behind endpoints will take for their answers; earlier turns at full length."""
    found = {}
    settings = suite.settings.answers
    for own in suite.settings.models:
        if own.endpoint is None or (own.name, name) in suite.given:
            continue
        full = placeholders(own.name, questions, settings.max_new_tokens).answers
        calls = (
            call
            for turn in range(max(len(q.turns) for q in questions))
            for _, call in questions_calls(
                questions, turn, {q: a.turns[:turn] for q, a in full.items()}, settings
            )
        )
        found[name, own.name] = estimate(
            calls,
            suite.speakers[own.name],
            store,
            price=own.endpoint.price,
            concurrency=own.endpoint.concurrency,
        )
    return found
