"""The paper's suite as data: which of lm-eval's tasks, how many shots, which metric is quoted.

The eleven benchmarks of tables 3 and 4 of MNPO (arXiv:2509.23102). Prompts, answer extraction and
metrics are lm-eval's own definitions, read from the installed package; only the documents may come
from local files. Shots are those of the Open LLM Leaderboard's first version, whose six tasks the
table has, and lm-eval's own elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mnpo.errors import InvalidSetting, suggest


@dataclass(frozen=True)
class Metric:
    """One figure of a task.

    Attributes:
        part: what follows ``accuracy/TASK/``; "" for the figure that is quoted.
        key: lm-eval's name of it, "METRIC,FILTER".
        unit: the one of the task's units that has it; "" for all of them.
    """

    part: str
    key: str
    unit: str = ""


@dataclass(frozen=True)
class Task:
    """One benchmark.

    Attributes:
        name: ours.
        title: as papers call it.
        definitions: names of lm-eval's tasks and their files within ``lm_eval/tasks``; "{subject}"
            stands for each subject.
        metrics: the quoted one first.
        size: documents of the whole benchmark.
        shots: examples in the prompt.
        fixed_shots: the definition allows no other number.
        files: of the documents, within a data folder and without ending, the first that is there.
        example_files: of the documents that examples are drawn from.
        runs_code: a program that the model wrote is run.
        note: what a reader must know about it.
        chat_definitions: in place of `definitions` where prompts go through a chat template.
    """

    name: str
    title: str
    definitions: tuple[tuple[str, str], ...]
    metrics: tuple[Metric, ...]
    size: int
    shots: int
    files: tuple[str, ...]
    example_files: tuple[str, ...] = ()
    fixed_shots: bool = False
    runs_code: bool = False
    note: str = ""
    chat_definitions: tuple[tuple[str, str], ...] = ()


_IFEVAL = Task(
    name="ifeval",
    title="IFEval",
    definitions=(("ifeval", "ifeval/ifeval.yaml"),),
    metrics=(
        Metric("", "prompt_level_strict_acc,none"),
        Metric("prompt-loose", "prompt_level_loose_acc,none"),
        Metric("instruction-strict", "inst_level_strict_acc,none"),
        Metric("instruction-loose", "inst_level_loose_acc,none"),
    ),
    size=541,
    shots=0,
    fixed_shots=True,
    files=("ifeval/input_data", "ifeval/test"),
)
_GPQA = Task(
    name="gpqa",
    title="GPQA (diamond)",
    definitions=(("gpqa_diamond_zeroshot", "gpqa/zeroshot/gpqa_diamond_zeroshot.yaml"),),
    metrics=(Metric("", "acc,none"), Metric("normalised", "acc_norm,none")),
    size=198,
    shots=0,
    fixed_shots=True,
    files=("gpqa/gpqa_diamond",),
    note="the data set is gated: its authors give it on request",
)
_MMLU = Task(
    name="mmlu",
    title="MMLU",
    definitions=(("mmlu_{subject}", "mmlu/default/mmlu_{subject}.yaml"),),
    metrics=(Metric("", "acc,none"),),
    size=14042,
    shots=5,
    files=("mmlu/test", "mmlu/test_first20_per_subject"),
    example_files=("mmlu/dev", "mmlu/dev_5shot"),
)
_ARC = Task(
    name="arc",
    title="ARC (challenge)",
    definitions=(("arc_challenge", "arc/arc_challenge.yaml"),),
    metrics=(Metric("", "acc_norm,none"), Metric("unnormalised", "acc,none")),
    size=1172,
    shots=25,
    files=("arc_challenge/test", "arc_challenge/test_docs"),
    example_files=("arc_challenge/train",),
)
_HELLASWAG = Task(
    name="hellaswag",
    title="HellaSwag",
    definitions=(("hellaswag", "hellaswag/hellaswag.yaml"),),
    metrics=(Metric("", "acc_norm,none"), Metric("unnormalised", "acc,none")),
    size=10042,
    shots=10,
    files=("hellaswag/validation", "hellaswag/val_docs"),
    example_files=("hellaswag/train",),
)
_TRUTHFULQA = Task(
    name="truthfulqa",
    title="TruthfulQA",
    definitions=(
        ("truthfulqa_mc2", "truthfulqa/truthfulqa_mc2.yaml"),
        ("truthfulqa_mc1", "truthfulqa/truthfulqa_mc1.yaml"),
    ),
    metrics=(
        Metric("", "acc,none", "truthfulqa_mc2"),
        Metric("mc1", "acc,none", "truthfulqa_mc1"),
    ),
    size=817,
    shots=0,
    fixed_shots=True,
    files=("truthfulqa/mc_task", "truthfulqa/TruthfulQA"),
)
_WINOGRANDE = Task(
    name="winogrande",
    title="Winogrande",
    definitions=(("winogrande", "winogrande/default.yaml"),),
    metrics=(Metric("", "acc,none"),),
    size=1267,
    shots=5,
    files=("winogrande/validation",),
    example_files=("winogrande/train",),
)
_GSM8K = Task(
    name="gsm8k",
    title="GSM8K",
    definitions=(("gsm8k", "gsm8k/gsm8k.yaml"),),
    metrics=(
        Metric("", "exact_match,flexible-extract"),
        Metric("strict-match", "exact_match,strict-match"),
    ),
    size=1319,
    shots=5,
    files=("gsm8k/test",),
    example_files=("gsm8k/train",),
)
_MINERVA = Task(
    name="minerva-math",
    title="Minerva-Math",
    definitions=(("minerva_math_272", "minerva_math/minerva_math_algebra.yaml"),),
    metrics=(Metric("", "math_verify,none"), Metric("exact-match", "exact_match,none")),
    size=272,
    shots=4,
    files=("minerva_math/test",),
    note="the 272 undergraduate problems of Minerva's authors under lm-eval's Minerva prompt; "
    "lm-eval's own task minerva_math has the 5000 of MATH instead",
)
_AIME24 = Task(
    name="aime24",
    title="AIME-24",
    definitions=(("aime24", "aime/aime24.yaml"),),
    metrics=(Metric("", "exact_match,none"),),
    size=30,
    shots=0,
    fixed_shots=True,
    files=("aime24/test",),
)
_HUMANEVAL = Task(
    name="humaneval",
    title="HumanEval",
    definitions=(("humaneval", "humaneval/humaneval.yaml"),),
    chat_definitions=(("humaneval_instruct", "humaneval/humaneval_instruct.yaml"),),
    metrics=(Metric("", "pass@1,create_test"),),
    size=164,
    shots=0,
    fixed_shots=True,
    files=("humaneval/HumanEval", "humaneval/test"),
    runs_code=True,
    note="programs run in the project's sandbox instead of the evaluate library's code_eval",
)

#: By name, in the order of the paper's tables.
TASKS = {
    task.name: task
    for task in (
        _IFEVAL,
        _GPQA,
        _MMLU,
        _ARC,
        _HELLASWAG,
        _TRUTHFULQA,
        _WINOGRANDE,
        _GSM8K,
        _MINERVA,
        _AIME24,
        _HUMANEVAL,
    )
}
PAPER = tuple(TASKS)


def chosen(names: Iterable[str]) -> tuple[Task, ...]:
    """Tasks by name; "paper" stands for all of the suite.

    Raises:
        InvalidSetting: an unknown name, one twice, or none.
    """
    wanted: list[str] = []
    for name in names:
        wanted += PAPER if name == "paper" else [name]
    for name in wanted:
        if name not in TASKS:
            raise InvalidSetting(f"unknown lm-eval task '{name}'{suggest(name, [*TASKS, 'paper'])}")
        if wanted.count(name) > 1:
            raise InvalidSetting(f"lm-eval task '{name}' is named twice")
    if not wanted:
        raise InvalidSetting("no lm-eval task is named")
    return tuple(TASKS[name] for name in wanted)
