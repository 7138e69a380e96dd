"""Programs that a model wrote, run behind a fence: limits and walls, but no fortress.

It stops accidents and clumsy programs: endless loops, memory, forks, files, network. A program
written to break out of an interpreter's process, or to forge the line that says it passed, is not
stopped; run such models' code in a virtual machine.
"""

from evaluation.harness.sandbox.fence import Fence, Limits, SandboxBroken, Verdict, find_fence

__all__ = ["Fence", "Limits", "SandboxBroken", "Verdict", "find_fence"]
