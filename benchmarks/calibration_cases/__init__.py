"""Generating models with known truth, for `benchmarks/calibration.py`."""

import os

# Before numpy is loaded: many small products are slower on several threads.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
