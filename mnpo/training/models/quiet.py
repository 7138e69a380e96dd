"""transformers without its progress bars, which say nothing on a model that loads in a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers.utils import logging as _untyped

logging: Any = _untyped


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no warnings below errors inside the block; then as before."""
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
