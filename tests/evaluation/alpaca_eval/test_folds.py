import hashlib
import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.alpaca_eval.folds import (
    ORDERS,
    avx512_order,
    folds,
    introsort_order,
    split_tied,
)

#: sha256 (first 16 digits) of ",".join(argsort(full(n, 2))) as numpy 1.26.4 gave it on a processor
#: with AVX-512, and numpy 1.24.4 anywhere.
NUMPY_1_26 = {
    64: "7a61ce53d17eb721",
    65: "ed809889ed18ccff",
    100: "35c2a7fcd1ee3b3c",
    256: "b5b18accfde1fbb5",
    257: "fd64fbe45e6d1655",
    803: "ff1ae3ee39f98d03",
    1610: "f1728109528dd67d",
    2413: "6d2e804a3c6c4915",
    2414: "24c03c6fddc7e488",
    2415: "3def92ad0bfd7c80",
    3000: "ce2b830d0dd08bf2",
}
NUMPY_1_24 = {
    64: "ddd9d079bc34b557",
    65: "c951afc2bf08b790",
    100: "5e48e12c4f91d34d",
    256: "5b4be9479f8bfe0c",
    257: "15651e7ed46befb0",
    803: "3f4f0fa028950e57",
    1610: "360e12ca6d1a234b",
    2413: "77aedeae429acdcd",
    2414: "43953bfec25bfc83",
    2415: "521df61f1b321577",
    3000: "e0ac568184a66b2e",
}


def digest(order):
    return hashlib.sha256(",".join(map(str, order.tolist())).encode()).hexdigest()[:16]


@pytest.mark.parametrize("size", NUMPY_1_26)
def test_orders_are_those_of_old_numpy(size):
    assert digest(avx512_order(size)) == NUMPY_1_26[size]
    assert digest(introsort_order(size)) == NUMPY_1_24[size]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="x86 features")
def test_introsort_is_what_numpy_does_without_vectors():
    sizes = [0, 1, 16, 17, 18, 34, 100, 803, 2413, 2415]
    code = f"import numpy as np\nfor n in {sizes}: print(*np.argsort(np.full(n, 2)))"
    # Names of a feature set that this numpy does not know are ignored with a warning.
    off = "X86_V4 X86_V3 AVX512_SKX AVX2"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": off},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for size, line in zip(sizes, found, strict=True):
        assert introsort_order(size).tolist() == [int(k) for k in line.split()]


@given(size=st.integers(0, 1200), order=st.sampled_from(sorted(ORDERS)))
def test_orders_are_permutations(size, order):
    assert sorted(ORDERS[order](size).tolist()) == list(range(size))


@given(groups=st.integers(5, 700), splits=st.integers(2, 5), order=st.sampled_from(sorted(ORDERS)))
def test_folds_are_dealt_to_the_emptiest(groups, splits, order):
    load = np.zeros(splits)
    wanted = np.empty(groups, dtype=int)
    for group in ORDERS[order](groups)[::-1]:
        wanted[group] = np.argmin(load)
        load[wanted[group]] += 2
    assert (folds(groups, splits, order) == wanted).all()


@pytest.mark.parametrize("size", [10, 333, 2415])
def test_stable_folds_are_those_of_today(size):
    from sklearn.model_selection import GroupKFold

    groups = np.tile(np.arange(size), 2)
    wanted = GroupKFold(5).split(groups, groups=groups)
    for (train, test), (other_train, other_test) in zip(
        split_tied(groups, 5, "stable"), wanted, strict=True
    ):
        assert (train == other_train).all()
        assert (test == other_test).all()


def test_only_ties_are_dealt_with():
    with pytest.raises(ValueError, match="differ in size"):
        list(split_tied(np.array([0, 0, 1]), 2))
    with pytest.raises(ValueError, match="cannot make"):
        list(split_tied(np.array([0, 0, 1, 1]), 3))
