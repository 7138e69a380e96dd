"""HumanEval through lm-eval, its programs run in the project's sandbox."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.harness.sandbox import Verdict, find_fence


def with_sandbox(config: dict[str, Any]) -> dict[str, Any]:
    """lm-eval's definition with the metric of `check` in place of the evaluate library's."""
    config["metric_list"] = [{"metric": "pass@1", "aggregation": "mean", "higher_is_better": True}]
    config["filter_list"] = [{"name": "create_test", "filter": [{"function": "take_first"}]}]
    config["process_results"] = process_results
    # The sandbox and the caller's consent stand in for lm-eval's own confirmation.
    config["unsafe_code"] = False
    return config


def process_results(document: Mapping[str, str], results: Sequence[str]) -> dict[str, float]:
    """lm-eval's hook: 1 for a completion that passes all tests of its problem, else 0.

    In a chat the program stands in a block of Markdown, and ends with it.
    """
    return {"pass@1": float(check(document, results[0].split("```")[0]).passed)}


def check(problem: Mapping[str, str], completion: str) -> Verdict:
    """Run a problem's tests on its prompt followed by a completion (Chen et al. 2021).

    Args:
        problem: prompt, test and entry_point.
        completion: what the model wrote after the prompt.

    Raises:
        SandboxBroken: no program can be run on this machine.
    """
    program = (
        f"{problem['prompt']}{completion}\n{problem['test']}\ncheck({problem['entry_point']})\n"
    )
    return find_fence().run(program)
