"""Speed and memory of the training engine against TRL's DPOTrainer, in one run.

    python benchmarks/training_speed.py                          # a small Llama on one CPU thread
    python benchmarks/training_speed.py --model 1b --precision bfloat16 --attention flex --groups 16

Both train the same random Llama with DPO (beta 0.1, AdamW, no gradient checkpointing unless asked
for) on the same groups: a prompt with K responses and all its pairs, for K = 4 and K = 2. TRL gets
every pair as a row with its prompt, as its data format has it; the engine gets each group once. A
step holds the same pairs for both and has the same loss, which is checked before a number is
printed. TRL runs twice: as it is by default, with a forward of the reference model in every step,
and with ``precompute_ref_log_probs=True``. The engine's anchors are scored beforehand; the time of
either precomputation is given apart and in the rates "with reference".

Rates count the tokens of the data, the prompt of a group once, over the time of the steps after the
first ones; on a CPU that is the process's own time on its one thread. Peak memory is, on a GPU,
what PyTorch allocated at most, model and optimizer included; on a CPU the largest resident set of a
process of its own less that after the imports.

The model FLOPs of a step are those that the data asks for, however they were computed:
6 x (weights of the layers) x tokens + 6 x (weights of the head) x response tokens + 12 x layers x
width x (pairs of a token and a token it sees). Utilisation is that over time and ``--peak-tflops``,
or, without it, over the rate of a large matrix product measured in the same run.
"""

import argparse
import copy
import gc
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TQDM_DISABLE", "1")

BETA, RATE = 0.1, 1e-6
ENGINE, TRL, TRL_PRECOMPUTED = "engine", "TRL", "TRL, precomputed reference"
CONTENDERS = (ENGINE, TRL, TRL_PRECOMPUTED)
SHAPES = {
    "small": {
        "vocab_size": 8_192,
        "hidden_size": 256,
        "intermediate_size": 704,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
    "0.5b": {
        "vocab_size": 49_152,
        "hidden_size": 1_280,
        "intermediate_size": 3_584,
        "num_hidden_layers": 24,
        "num_attention_heads": 20,
        "num_key_value_heads": 5,
    },
    "1b": {
        "vocab_size": 128_256,
        "hidden_size": 2_048,
        "intermediate_size": 8_192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "tie_word_embeddings": True,
    },
}


def main() -> None:
    options = parse()
    if options.worker:
        contender, responses = options.worker
        print(json.dumps(measure(options, contender, int(responses))))
        return
    import torch

    cuda = torch.cuda.is_available()
    peak = (options.peak_tflops or matmul_tflops(options.precision)) if cuda else None
    for responses in options.responses:
        found = {}
        for contender in CONTENDERS:
            worker = measure if cuda else in_subprocess
            found[contender] = row = worker(options, contender, responses)
            print(f"K = {responses}, {contender}: {row['seconds']:.2f} s", file=sys.stderr)
        report(found, responses, peak, options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=SHAPES, default="small")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument(
        "--attention", choices=("sdpa", "flex"), default="sdpa", help="the engine's"
    )
    parser.add_argument("--groups", type=int, default=4, help="prompts in a step")
    parser.add_argument("--steps", type=int, default=2, help="steps that are timed")
    parser.add_argument("--warm-up", type=int, default=1, help="steps before them")
    parser.add_argument("--prompt", type=int, nargs=2, default=None, metavar=("LOW", "HIGH"))
    parser.add_argument("--response", type=int, nargs=2, default=None, metavar=("LOW", "HIGH"))
    parser.add_argument("--responses", type=int, nargs="+", default=[4, 2], metavar="K")
    parser.add_argument("--micro-batch-tokens", type=int, default=None, help="the engine's")
    parser.add_argument("--trl-batch", type=int, default=8, help="pairs in a forward (its default)")
    parser.add_argument("--gradient-checkpointing", action="store_true", help="for both")
    parser.add_argument("--peak-tflops", type=float, default=None)
    parser.add_argument("--worker", nargs=2, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    small = options.model == "small"
    options.prompt = options.prompt or ([128, 160] if small else [512, 512])
    options.response = options.response or ([32, 64] if small else [128, 256])
    options.micro_batch_tokens = options.micro_batch_tokens or (1_024 if small else 8_192)
    return options


def make_model(options: argparse.Namespace, attention: str) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        **SHAPES[options.model], max_position_embeddings=2_048, attn_implementation=attention
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        return LlamaForCausalLM(config)


def make_groups(options: argparse.Namespace, responses: int) -> list[Any]:
    """(prompt, responses) for all steps; response i is preferred to those after it."""
    import numpy as np

    rng = np.random.default_rng(0)
    words = SHAPES[options.model]["vocab_size"]

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(rng.integers(3, words, size=rng.integers(low, high + 1)).tolist())

    number = options.groups * (options.steps + options.warm_up)
    return [
        (ids(*options.prompt), tuple(ids(*options.response) for _ in range(responses)))
        for _ in range(number)
    ]


def measure(options: argparse.Namespace, contender: str, responses: int) -> dict[str, Any]:
    """Train with one contender; times, losses, memory."""
    import torch
    import trl as _trl
    from transformers import TrainerCallback

    import mnpo.training.engine as _engine  # imported before memory is looked at

    del _engine, _trl
    cuda = torch.cuda.is_available()
    baseline = resident()
    if cuda:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        baseline = torch.cuda.memory_allocated()

    class Clock(TrainerCallback):
        def __init__(self) -> None:
            self.seconds: list[float] = []

        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            self._wait()
            self._began = now()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self._wait()
            self.seconds.append(now() - self._began)
            control.should_save = False

        def _wait(self) -> None:
            if cuda:
                torch.cuda.synchronize()

    clock = Clock()
    groups = make_groups(options, responses)
    steps = plan(options, groups)
    with tempfile.TemporaryDirectory() as folder:
        trainer = with_engine if contender == ENGINE else with_trl
        losses, reference = trainer(options, contender, groups, steps, clock, Path(folder))
    timed = [groups[i] for step in steps[options.warm_up :] for i in step]
    return {
        "losses": losses,
        "seconds": sum(clock.seconds[options.warm_up :]),
        "reference": reference,
        "tokens": sum(len(prompt) + sum(map(len, answers)) for prompt, answers in timed),
        "flops": sum(model_flops(options, *group) for group in timed),
        "memory": (torch.cuda.max_memory_allocated() if cuda else resident()) - baseline,
        "baseline": baseline,
    }


def plan(options: argparse.Namespace, groups: list[Any]) -> list[tuple[int, ...]]:
    """The groups of each step, in the engine's own order, which TRL's rows follow."""
    from mnpo.training.engine import plan_batches

    steps = plan_batches(
        [1] * len(groups), batch_size=options.groups, micro_batch_tokens=1, epochs=1, seed=0
    )
    return [step.groups for step in steps]


def with_engine(
    options: argparse.Namespace,
    contender: str,
    groups: list[Any],
    steps: list[tuple[int, ...]],
    clock: Any,
    folder: Path,
) -> tuple[list[float], float]:
    """Losses of all steps, and the seconds that the anchors of the timed ones took."""
    import numpy as np

    from mnpo.training.engine import pair_loss_objective, train
    from mnpo.training.examples import Example
    from mnpo.training.logprobs.forward import enable_completion_scoring
    from mnpo.training.logprobs.scoring import score_groups
    from mnpo.training.recipe import ModelSettings, OptimizerSettings

    del contender
    model = make_model(options, {"flex": "flex_attention"}.get(options.attention, "sdpa"))
    enable_completion_scoring(model)
    budget = options.micro_batch_tokens
    order = [i for step in steps for i in step]
    first = options.groups * options.warm_up
    scored: dict[int, Any] = {}
    for part in (order[:first], order[first:]):  # the first part also compiles what is compiled
        began = now()
        with autocast(options):
            found = score_groups(model, [groups[i] for i in part], max_tokens=budget, pad_id=0)
        scored.update(zip(part, found, strict=True))
        reference = now() - began
    anchors = [scored[i] for i in range(len(groups))]

    def example(group: Any, anchor: Any) -> Example:
        weights = np.triu(np.ones((len(anchor), len(anchor))), 1)
        preferences = 0.5 + 0.5 * np.sign(weights - weights.T)
        return Example(*group, anchor, weights / weights.sum(), preferences)

    train(
        model,
        0,
        [example(group, anchor) for group, anchor in zip(groups, anchors, strict=True)],
        pair_loss_objective("dpo", {"scale": BETA}),
        optimizer=OptimizerSettings(
            learning_rate=RATE,
            schedule="constant",
            warmup_ratio=0.0,
            batch_size=options.groups,
            micro_batch_tokens=budget,
        ),
        model_settings=ModelSettings(
            precision=options.precision, gradient_checkpointing=options.gradient_checkpointing
        ),
        epochs=1,
        seed=0,
        work_dir=folder,
        callbacks=[clock],
    )
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines], reference


def with_trl(
    options: argparse.Namespace,
    contender: str,
    groups: list[Any],
    steps: list[tuple[int, ...]],
    clock: Any,
    folder: Path,
) -> tuple[list[float], float]:
    """Losses of all steps, and the seconds of the reference of the timed ones, if precomputed."""
    from datasets import Dataset
    from tokenizers import Tokenizer, models
    from torch.utils.data import SequentialSampler
    from transformers import PreTrainedTokenizerFast, PrinterCallback
    from trl import DPOConfig, DPOTrainer

    rows = [
        {"prompt_ids": prompt, "chosen_ids": answers[i], "rejected_ids": answers[j]}
        for step in steps
        for prompt, answers in (groups[g] for g in step)
        for i, j in itertools.combinations(range(len(answers)), 2)
    ]
    pairs = len(rows) // len(steps)
    batch = min(options.trl_batch, pairs)
    assert pairs % batch == 0, f"{pairs} pairs a step are no multiple of --trl-batch {batch}"
    taken = [0.0]

    class Tokenised(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return dataset

        def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
            return SequentialSampler(self.train_dataset)

        def _precompute_ref_logps(self, *args: Any, **kwargs: Any) -> Any:
            began = now()
            dataset = super()._precompute_ref_logps(*args, **kwargs)
            share = options.steps / (options.steps + options.warm_up)
            taken[0] = (now() - began) * share
            self.ref_model = None  # it has done its work, so its memory is not held against TRL
            return dataset

    words = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    model = make_model(options, "sdpa")
    trainer = Tokenised(
        model=model,
        ref_model=copy.deepcopy(model),
        args=DPOConfig(
            output_dir=str(folder),
            beta=BETA,
            precompute_ref_log_probs=contender == TRL_PRECOMPUTED,
            per_device_train_batch_size=batch,
            precompute_ref_batch_size=batch,
            gradient_accumulation_steps=pairs // batch,
            num_train_epochs=1,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            bf16=options.precision == "bfloat16",
            gradient_checkpointing=options.gradient_checkpointing,
            max_length=None,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows, split="train"),
        processing_class=PreTrainedTokenizerFast(
            tokenizer_object=words, pad_token="a", eos_token="b"
        ),
        callbacks=[clock],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry], taken[0]


def report(
    found: dict[str, dict[str, Any]], responses: int, peak: float | None, options: Any
) -> None:
    ours = found[ENGINE]
    tolerance = 1e-4 if options.precision == "float32" else 2e-2
    for name, theirs in found.items():
        worst = max(abs(a - b) for a, b in zip(ours["losses"], theirs["losses"], strict=True))
        assert worst < tolerance, f"{name} has other losses: {theirs['losses']}, {ours['losses']}"
    pairs = responses * (responses - 1) // 2
    print(f"\nK = {responses}, {pairs} pairs a prompt; losses equal to {tolerance:g}")
    for name, row in found.items():
        rate, full = (row["tokens"] / (row["seconds"] + r) for r in (0.0, row["reference"]))
        line = f"  {name:27} {rate:9,.0f} tokens/s, with reference {full:9,.0f}"
        line += f", peak {row['memory'] / 2**30:6.2f} GiB"
        if peak is not None:
            line += f", utilisation {row['flops'] / row['seconds'] / peak / 1e12:5.1%}"
        print(line)
    for name in (TRL, TRL_PRECOMPUTED):
        theirs = found[name]
        speed = theirs["seconds"] / ours["seconds"]
        full = (theirs["seconds"] + theirs["reference"]) / (ours["seconds"] + ours["reference"])
        memory = ours["memory"] / theirs["memory"]
        print(
            f"  against {name}: {speed:.2f} x tokens/s, with reference {full:.2f} x, "
            f"{memory:.2f} x peak memory"
        )
    sys.stdout.flush()


def model_flops(options: argparse.Namespace, prompt: Any, answers: Any) -> float:
    shape: dict[str, Any] = SHAPES[options.model]
    width, layers = shape["hidden_size"], shape["num_hidden_layers"]
    keys = width * shape["num_key_value_heads"] // shape["num_attention_heads"]
    layer = 2 * width * width + 2 * width * keys + 3 * width * shape["intermediate_size"]
    lengths = list(map(len, answers))
    tokens = len(prompt) + sum(lengths)
    seen = len(prompt) ** 2 / 2 + sum(n * len(prompt) + n * n / 2 for n in lengths)
    head = width * shape["vocab_size"] * sum(lengths)
    return 6.0 * layers * layer * tokens + 6.0 * head + 12.0 * layers * width * seen


def now() -> float:
    """Seconds; on a CPU those of this process, which other programs do not slow down."""
    import torch

    return time.perf_counter() if torch.cuda.is_available() else time.process_time()


def matmul_tflops(precision: str) -> float:
    """What a product of two 8192 x 8192 matrices reaches."""
    import torch

    size = 8_192
    a, b = (torch.randn(size, size, device="cuda").to(getattr(torch, precision)) for _ in range(2))
    for _ in range(3):
        a @ b
    torch.cuda.synchronize()
    began = now()
    for _ in range(20):
        a @ b
    torch.cuda.synchronize()
    rate = 20 * 2 * size**3 / (now() - began) / 1e12
    print(f"{torch.cuda.get_device_name()}: matrix product {rate:.0f} TFLOP/s in {precision}")
    return rate


def autocast(options: argparse.Namespace) -> Any:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.autocast(device, torch.bfloat16, enabled=options.precision == "bfloat16")


def resident() -> int:
    """Largest resident set so far, bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def in_subprocess(options: argparse.Namespace, contender: str, responses: int) -> dict[str, Any]:
    command = [sys.executable, __file__, *sys.argv[1:], "--worker", contender, str(responses)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    main()
