"""What IFEval's checks need beyond lm-eval: packages, tokenizer data, and a fixed seed."""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from mnpo.errors import UserError

NOTE = (
    "instructions that count sentences or capital words need NLTK's punkt_tab data, which are not "
    "on this machine; put them into a folder that NLTK_DATA names"
)
EXTRAS = "pip install 'lm-eval[ifeval,math]'"


@contextlib.contextmanager
def without_downloads() -> Iterator[None]:
    """lm-eval's module downloads tokenizer data when it is imported without them: not here."""
    nltk: Any = import_module("nltk")
    download = nltk.download
    nltk.download = lambda *_, **__: False
    try:
        # It says "Downloaded" whatever came of it.
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        nltk.download = download


def prepare_checks() -> None:
    """Fix the seed of its language detection, which draws at random otherwise.

    Raises:
        UserError: the package is not installed.
    """
    try:
        import_module("langdetect").DetectorFactory.seed = 0
    except ImportError:
        raise UserError(f"IFEval's checks need packages that are not installed; {EXTRAS}") from None


def unscorable(documents: Sequence[Mapping[str, Any]]) -> list[int]:
    """Numbers of the documents whose check cannot be made here, because its data are missing.

    They are left out and counted as missing: lm-eval would fail on them at the end of the run.

    Raises:
        UserError: a package is not installed.
    """
    prepare_checks()
    with without_downloads():
        process_results = import_module("lm_eval.tasks.ifeval.utils").process_results
    found = []
    for number, document in enumerate(documents):
        try:
            process_results(dict(document), ["One sentence. And another one."])
        except LookupError:
            found.append(number)
    return found
