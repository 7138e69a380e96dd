"""The processes of a distributed run: how many, which one is this, and meeting points."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """One process among ``size``; rank 0 writes what is written once.

    A process that runs alone has size 1, and its barrier costs nothing.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes for all."""
        return self.rank == 0

    def barrier(self) -> None:
        """Wait for the others."""
        if self.size > 1:
            import torch.distributed as dist

            dist.barrier()


def current_world() -> World:
    """The world that the launcher made (``accelerate launch`` or torchrun), or a lonely one.

    The first call under a launcher joins the process group. Sampling and asking are slow beside
    gradient steps, so processes wait for one another for up to a day.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return World()
    from datetime import timedelta

    import torch
    from accelerate import PartialState

    # Without the hint accelerate takes processes on CPUs for lonely ones.
    state = PartialState(cpu=not torch.accelerator.is_available(), timeout=timedelta(days=1))
    return World(rank=state.process_index, size=state.num_processes)
