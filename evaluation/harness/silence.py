"""lm-eval without its warnings about itself, and without bars where nobody watches."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """No warnings of the libraries about themselves, and no bars where nobody watches."""
    from mnpo.training.models.quiet import quiet

    logger = logging.getLogger("lm_eval")
    level = logger.level
    logger.setLevel(logging.ERROR)
    hidden = contextlib.nullcontext() if sys.stderr.isatty() else _hidden_bars()
    try:
        with hidden, quiet():
            yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _hidden_bars() -> Iterator[None]:
    with contextlib.redirect_stderr(io.StringIO()):
        yield
