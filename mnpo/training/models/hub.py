"""Downloading a model from the model hub: weights as safetensors, no code unless asked for."""

import os
from pathlib import Path

from mnpo.errors import UserError

#: What is fetched. Pickled weights (.bin, .pt) can run code when loaded and are not.
PATTERNS = ("*.safetensors", "*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt")


def download(name: str, revision: str | None, trust_remote_code: bool = False) -> Path:
    """The model's folder in the hub's own cache, fetched where it is not there yet.

    Raises:
        UserError: no such model or revision, no permission, no network, or no safetensors.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    patterns = [*PATTERNS, *(["*.py"] if trust_remote_code else [])]
    at = f" at revision {revision}" if revision else ""
    try:
        folder = snapshot_download(name, revision=revision, allow_patterns=patterns)
    except GatedRepoError:
        raise UserError(
            f"{name}: its owners grant access on request; ask for it on its page, then set HF_TOKEN"
        ) from None
    except RepositoryNotFoundError:
        raise UserError(f"{name}: no such model on the hub, and no such folder here") from None
    except RevisionNotFoundError:
        raise UserError(f"{name}: has no revision '{revision}'") from None
    except HFValidationError as error:
        raise UserError(f"{name}: not a model's name ({error})") from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        why = (
            "HF_HUB_OFFLINE is set"
            if os.environ.get("HF_HUB_OFFLINE")
            else "the hub is not in reach"
        )
        raise UserError(
            f"{name}{at}: not in the local cache, and {why}; there is no such folder either"
        ) from None
    except (HfHubHTTPError, ConnectionError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(f"{name}{at}: could not be downloaded ({reason})") from None
    path = Path(folder)
    if not any(path.glob("*.safetensors")):
        raise UserError(f"{name}{at}: offers no .safetensors weights; pickled ones are not loaded")
    return path
