import numpy as np

from evaluation.compared import comparisons_of
from evaluation.scores import Comparison
from evaluation.statistics import compare_all


def test_every_field_of_a_paired_comparison_is_kept():
    values = np.array([[1.0, 2, 3, 5], [2, 2, 1, 4], [0, 1, 1, np.nan]])
    compared = compare_all(["a", "b", "c"], values)
    found = comparisons_of("score", compared)
    assert [(own.first, own.second) for own in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    for own, other in zip(found, compared, strict=True):
        assert own == Comparison("score", **vars(other))
