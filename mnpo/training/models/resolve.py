"""From the name in a recipe to a policy on disk."""

import re
import shutil
from pathlib import Path

from mnpo.errors import DamagedRun, InvalidSetting, UserError, suggest
from mnpo.training.models.cache import cache_folder, only_one
from mnpo.training.models.catalog import SMOLLM2, TINY, names
from mnpo.training.models.hashing import hash_policy
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.settings import ModelSettings
from mnpo.training.models.verifying import HASHES, verify_policy

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def resolve(model: ModelSettings | str, cache: Path | None = None) -> PolicyCheckpoint:
    """Find, make or download a model.

    "tiny" is made at the first use and kept in the cache; "smollm2-135m" is taken from the cache;
    a folder is used where it is; OWNER/NAME is downloaded from the model hub, safetensors only.

    Args:
        model: settings, or a name.
        cache: where made and fetched models are kept; `cache_folder` by default.

    Raises:
        InvalidSetting: an unknown name.
        UserError: not fetched yet, no such folder, not on the hub, or pickled weights.
        DamagedRun: a saved policy is damaged.
    """
    settings = ModelSettings(name=model) if isinstance(model, str) else model
    cache = cache or cache_folder()
    name = settings.name
    if name == TINY.name:
        return _checkpoint(_tiny(cache))
    if name == SMOLLM2.name:
        path = cache / SMOLLM2.folder
        if not path.is_dir():
            raise UserError(f"{name} is not in {cache} yet; run: mnpo-bench models fetch {name}")
        return _checkpoint(path)
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~ of a user who does not exist
        path = Path(name)
    if name and path.is_dir():
        return _checkpoint(path)
    if _HUB_ID.fullmatch(name):
        from mnpo.training.models.hub import download

        return _checkpoint(download(name, settings.revision, settings.trust_remote_code))
    if "/" in name or name.startswith((".", "~")):
        raise InvalidSetting(f"model '{name}': no such folder")
    raise InvalidSetting(
        f"model '{name}' is neither known, nor a folder, nor OWNER/NAME of a model hub"
        f"{suggest(name, names())}"
    )


def _checkpoint(path: Path) -> PolicyCheckpoint:
    if (path / HASHES).is_file():
        verify_policy(path)
    return PolicyCheckpoint(path, hash_policy(path))


def _tiny(cache: Path) -> Path:
    path = cache / TINY.folder
    with only_one(cache / f"{TINY.folder}.lock"):
        if path.is_dir():
            try:
                verify_policy(path)
            except DamagedRun:
                shutil.rmtree(path)  # made again: nobody's work is lost
        if not path.is_dir():
            _make_tiny(path)
    return path


def _make_tiny(path: Path) -> None:
    from mnpo.training.models.card import ModelCard
    from mnpo.training.models.saving import save_policy
    from mnpo.training.models.tiny import make_tiny

    model, tokenizer = make_tiny()
    card = ModelCard(
        title="The embedded model of mnpo-bench",
        algorithm="none",
        base_model="none",
        summary="A Llama of 0.6 million weights that makes small talk; made for tests and tours.",
        license="apache-2.0",
    )
    save_policy(model, tokenizer, path, card)
