"""Parity with the theory: on a tiny language model whose completions are single tokens the policy
is a table, and training must follow the exact simulator's policies.

Four games are four prompts of one model, each with tokens of its own: rock-paper-scissors, a biased
one, a random game of five actions and a Bradley-Terry game. The oracle's matrix is block-diagonal.
"""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnpo.training.generation.base import Completion
from mnpo.training.methods import get_method
from mnpo.training.online.loop import run_method
from mnpo.training.recipe import Recipe
from mnpo.training.workbench import Workbench, open_workbench
from simulators import simulate
from simulators.games import Game
from simulators.metrics.gaps import duality_gap

ITERATIONS = 5
STEP, TEMPERATURE = 0.6, 0.25


def bradley_terry(utilities: list[float]) -> np.ndarray:
    u = np.array(utilities)
    return 1 / (1 + np.exp(u[None, :] - u[:, None]))


def random_game(size: int, shift: float) -> np.ndarray:
    # An explicit formula, no random stream: the same matrix everywhere.
    upper = 0.5 + 0.45 * np.sin(7.3 * np.arange(size)[:, None] + 3.1 * np.arange(size) + shift)
    matrix = np.triu(upper, 1)
    return matrix + np.tril(1 - matrix.T, -1) + 0.5 * np.eye(size)


GAMES = {
    "rps": np.array([[0.5, 1.0, 0.0], [0.0, 0.5, 1.0], [1.0, 0.0, 0.5]]),
    "biased": np.array([[0.5, 0.9, 0.2], [0.1, 0.5, 0.7], [0.8, 0.3, 0.5]]),
    "random": random_game(5, 0.4),
    "bradley-terry": bradley_terry([0.0, 0.7, 1.5, 2.0]),
}
#: Annotators of the heterogeneous method: each a matrix on every game.
ANNOTATORS = [
    GAMES,
    {name: matrix.T for name, matrix in GAMES.items()},
    {name: random_game(len(matrix), 1.7) for name, matrix in GAMES.items()},
]
WORDS = [f"w{i}" for i in range(sum(len(m) for m in GAMES.values()))]
SLICES = {}
for _name, _matrix in GAMES.items():
    _start = sum(s.stop - s.start for s in SLICES.values())
    SLICES[_name] = slice(_start, _start + len(_matrix))


def whole(games: dict[str, np.ndarray]) -> list[list[float]]:
    matrix = np.full((len(WORDS), len(WORDS)), 0.5)
    for name, own in games.items():
        matrix[SLICES[name], SLICES[name]] = own
    return matrix.tolist()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random model, its tokenizer, and the prompts."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("parity")
    vocabulary = ["<pad>", "<eos>", "<user>", "<answer>", *GAMES, *WORDS]
    raw = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<pad>")
    )
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>")
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'user' %}<user> {{ m.content }} <answer> "
        "{% else %}{{ m.content }} <eos> {% endif %}{% endfor %}"
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=32,
        pad_token_id=0, eos_token_id=1, bos_token_id=None, initializer_range=0.3,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.generation_config.pad_token_id, model.generation_config.eos_token_id = 0, 1
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    rows = [{"prompt": name} for name in GAMES]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "held.jsonl").write_text(json.dumps({"prompt": WORDS[0]}) + "\n")
    return folder


def bench_for(world: Path, folder: Path, **overrides) -> Workbench:
    settings = {
        "recipe": "parity",
        "model": {"name": str(world / "model")},
        "data": {
            "prompts": [str(world / "prompts.jsonl")],
            "held_out": [str(world / "held.jsonl")],
        },
        "sampling": {"support": "given", "max_new_tokens": 1},
        "oracle": {"kind": "matrix", "actions": WORDS, "matrix": whole(GAMES)},
        "annotators": [
            {"kind": "matrix", "actions": WORDS, "matrix": whole(games)} for games in ANNOTATORS
        ],
        "budget": {
            "iterations": ITERATIONS, "prompts": 4, "epochs": 50, "share_out": False,
            "fresh": False,
        },
        "optimizer": {
            "learning_rate": 0.015, "batch_size": 4, "max_grad_norm": 0.0, "beta1": 0.7,
            "beta2": 0.95,
        },
        "methods": {"inpo": {}},
    } | overrides  # fmt: skip
    bench = open_workbench(Recipe.model_validate(settings), folder)
    prompts = tuple(
        replace(item, prompt=replace(item.prompt, completions=tuple(WORDS[SLICES[name]])))
        for item in bench.prompts
        for name in [item.prompt.text]
    )
    return replace(bench, prompts=prompts)


def tables(bench, policy) -> dict[str, np.ndarray]:
    """The policy of each game, by a plain forward of the loaded checkpoint."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(policy.path)
    found = {}
    for item in bench.prompts:
        with torch.no_grad():
            logits = model(torch.tensor([item.ids])).logits[0, -1].double()
        ids = [bench.tokenizer.convert_tokens_to_ids(word) for word in item.prompt.completions]
        found[item.prompt.text] = torch.softmax(logits[ids], 0).numpy()
    return found


def exact(game: str, name: str, reference: np.ndarray, parameters: dict) -> np.ndarray:
    """The simulator's policies, (T + 1, players, K)."""
    played = Game(game, GAMES[game], tuple(WORDS[SLICES[game]]))
    if name == "ht-mnpo":
        own = np.stack([annotator[game] for annotator in ANNOTATORS])
        played = Game(
            game,
            own.mean(axis=0),
            played.actions,
            annotators=own,
            annotator_weights=np.full(len(own), 1 / len(own)),
        )
    result = simulate(played, name, reference=reference, iterations=ITERATIONS, **parameters)
    policies = np.asarray(result.policies)
    return policies if policies.ndim == 3 else policies[:, None]


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation."""
    return 0.5 * float(np.abs(one - other).sum())


INPO_LIKE = {"step_size": STEP, "temperature": TEMPERATURE}
CASES = {
    "inpo": ("inpo", INPO_LIKE),
    "td-mnpo": ("td-mnpo", INPO_LIKE | {"num_players": 3}),
    "td-mnpo-weighted": ("td-mnpo", INPO_LIKE | {"history_weights": (0.2, 0.3, 0.5)}),
    "sppo": ("sppo", {"step_size": STEP}),
    "dno": ("dno", {"step_size": STEP}),
    "ipo-online": ("ipo-online", {"temperature": 1.5}),
    "dpo-iterative": ("dpo-iterative", {"temperature": 4.0}),
    "ht-mnpo": ("ht-mnpo", INPO_LIKE),
    "nash-md": ("nash-md", INPO_LIKE),
    "egpo": ("egpo", INPO_LIKE),
    "onpo": ("onpo", {"step_size": STEP}),
    "mpo": ("mpo", INPO_LIKE | {"inner": 2}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_language_model_follows_the_simulator(world: Path, tmp_path: Path, case: str) -> None:
    name, parameters = CASES[case]
    bench = bench_for(world, tmp_path)
    trained = run_method(bench, get_method(name, parameters), seed=0)
    learned = [[tables(bench, policy) for policy in own] for own in trained.policies]
    worst = 0.0
    for game, matrix in GAMES.items():
        wanted = exact(game, name, learned[0][0][game], parameters)
        for t in range(1, ITERATIONS + 1):
            for player, own in enumerate(learned):
                worst = max(worst, distance(own[t][game], wanted[t, player]))
        for player, own in enumerate(learned):
            gap = duality_gap(matrix, own[-1][game])
            assert gap == pytest.approx(float(duality_gap(matrix, wanted[-1, player])), abs=3e-3)
    print(f"{case}: largest total variation {worst:.1e}")
    assert worst <= 1e-3


class FromTheTable:
    """A backend that draws from the prompt's own words, in the policy's proportions."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    @contextmanager
    def open(self, mixture):
        ((policy, _),) = mixture
        yield replace_table(self.bench, tables(self.bench, policy))


def replace_table(bench: Workbench, table: dict[str, np.ndarray]):
    """A sampler from ``table``."""
    by_ids = {item.ids: item.prompt for item in bench.prompts}

    class Sampler:
        def draw(self, prompts, counts, *, seed):
            random = np.random.default_rng(seed)
            drawn = []
            for ids, count in zip(prompts, counts, strict=True):
                prompt = by_ids[tuple(ids)]
                words = random.choice(prompt.completions, size=count, p=table[prompt.text])
                tokens = bench.tokenizer.convert_tokens_to_ids([str(word) for word in words])
                drawn.append([Completion((token,), finished=False) for token in tokens])
            return drawn

    return Sampler()


@pytest.mark.slow
@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_sampled_pairs_converge(world: Path, tmp_path: Path, labels: str) -> None:
    errors = []
    for responses in (12, 600):
        bench = bench_for(
            world,
            tmp_path / str(responses),
            sampling={"responses": responses, "max_new_tokens": 1},
            pairs={"labels": labels},
            budget={"iterations": 1, "prompts": 4, "epochs": 40, "fresh": False},
        )
        bench = replace(bench, backend=FromTheTable(bench))
        trained = run_method(bench, get_method("inpo", INPO_LIKE), seed=0)
        before, after = (tables(bench, policy) for policy in trained.policies[0])
        errors.append(
            np.mean(
                [distance(after[g], exact(g, "inpo", before[g], INPO_LIKE)[1, 0]) for g in GAMES]
            )
        )
    print(f"{labels}: {errors}")
    # Fifty times the responses: about a seventh of the error.
    assert errors[1] < 0.35 * errors[0]
    assert errors[1] < 0.02
