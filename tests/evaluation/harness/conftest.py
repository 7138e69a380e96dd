"""A data folder with documents of our own invention, and the embedded model."""

import os

import pytest
from harness_data import ARC, GSM8K, HUMANEVAL, MMLU, WINOGRANDE, write_lines

os.environ.setdefault("TQDM_DISABLE", "1")


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_lines(folder / "winogrande/validation.jsonl", WINOGRANDE)
    write_lines(folder / "gsm8k/test.jsonl", GSM8K)
    write_lines(folder / "humaneval/HumanEval.jsonl", HUMANEVAL)
    write_lines(folder / "mmlu/test.jsonl", MMLU)
    write_lines(folder / "mmlu/dev.jsonl", [*MMLU[:1] * 5, *MMLU[2:] * 5])
    write_lines(folder / "arc_challenge/test.jsonl", ARC)
    return folder


@pytest.fixture(scope="session")
def tiny():
    from mnpo.training.models.resolve import resolve

    return resolve("tiny")
