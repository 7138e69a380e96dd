"""The algorithms: each an immutable value that runs at every scale.

``get_algorithm("inpo", step_size=0.5, temperature=0.1)`` gives the value; its ``updates(t)`` says
which policies anchor iteration t's update, with which weights, against whom the advantage is
measured, and under which distance.
"""

from mnpo.algorithms.base import Algorithm, Badge, Card
from mnpo.algorithms.registry import Entry, find_entry, get_algorithm, list_algorithms
from mnpo.algorithms.update import Distance, Update

__all__ = [
    "Algorithm",
    "Badge",
    "Card",
    "Distance",
    "Entry",
    "Update",
    "find_entry",
    "get_algorithm",
    "list_algorithms",
]
