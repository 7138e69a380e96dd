"""A script for ``accelerate launch``: train the tiny model and save it."""

import sys
from pathlib import Path

import torch
from conftest import random_examples, run, tiny_llama

from mnpo.training.engine import pair_loss_objective

OBJECTIVE = pair_loss_objective("ipo", {"temperature": 0.1})


def main() -> None:
    folder = Path(sys.argv[1])
    model = tiny_llama().double()
    result = run(
        model,
        random_examples(9),
        OBJECTIVE,
        folder,
        save_steps=2,
    )
    single = tiny_llama()
    run(single, random_examples(9), OBJECTIVE, folder / "single", epochs=8, learning_rate=3e-3)
    if int(torch.distributed.get_rank() if torch.distributed.is_initialized() else 0) == 0:
        torch.save(model.state_dict(), folder / "weights.pt")
        torch.save(single.state_dict(), folder / "single.pt")
        (folder / "world").write_text(str(torch.distributed.get_world_size()))
    assert result.steps == 3


if __name__ == "__main__":
    main()
