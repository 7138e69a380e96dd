"""Groups of responses on disk: one gzipped line each, whole or absent, checked when read."""

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from mnpo.conversation import Message
from mnpo.errors import DamagedRun, UserError
from mnpo.runs.files import write_atomically
from mnpo.training.data.groups import Group, GroupDataset, Response
from mnpo.training.data.prompts import Prompt
from mnpo.training.tokens import TokenContract

FORMAT = 1


def save_groups(dataset: GroupDataset, path: Path) -> None:
    """Write a dataset as ``.jsonl.gz``; the same dataset gives the same bytes.

    The first line holds the token contract and hashes, the others one group each.

    Raises:
        OSError: it cannot be written; then an older file of that name is untouched.
    """
    rows = "".join(_dump(_group_row(group)) for group in dataset.groups)
    head = {
        "format": FORMAT,
        "groups": len(dataset.groups),
        "contract": dataset.contract.describe(),
        "sha256": dataset.sha256,
        "rows_sha256": hashlib.sha256(rows.encode()).hexdigest(),
    }
    # mtime: gzip would write the time into the file.
    write_atomically(path, gzip.compress((_dump(head) + rows).encode(), mtime=0))


def load_groups(path: Path) -> GroupDataset:
    """Read a dataset and check that it is what was written.

    Raises:
        DamagedRun: it is missing, truncated or changed.
        UserError: it was written in another format.
    """
    try:
        text = gzip.decompress(path.read_bytes()).decode()
        first, _, rows = text.partition("\n")
        head = json.loads(first)
        found = head["format"]
        if found != FORMAT:
            raise UserError(f"{path}: written in format {found}, this version reads {FORMAT}")
        if hashlib.sha256(rows.encode()).hexdigest() != head["rows_sha256"]:
            raise DamagedRun(f"{path}: its rows do not match their hash; make it again")
        kept = head["contract"]
        contract = TokenContract(**(kept | {"end_ids": tuple(kept["end_ids"])}))
        groups = tuple(_group(json.loads(line)) for line in rows.splitlines())
    except UserError:
        raise
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise DamagedRun(f"{path}: cannot be read ({reason}); make it again") from None
    dataset = GroupDataset(contract, groups)
    if dataset.sha256 != head["sha256"]:
        raise DamagedRun(f"{path}: its ids do not match their hash; make it again")
    return dataset


def _dump(row: dict[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"), sort_keys=True) + "\n"


def _group_row(group: Group) -> dict[str, Any]:
    prompt = group.prompt
    return {
        "messages": [[m.role, m.content] for m in prompt.messages],
        "demonstrations": prompt.demonstrations,
        "completions": prompt.completions,
        "prompt_ids": group.prompt_ids,
        "responses": [
            {"ids": r.ids, "text": r.text, "finished": r.finished, "source": r.source}
            for r in group.responses
        ],
    }


def _group(row: dict[str, Any]) -> Group:
    prompt = Prompt(
        messages=tuple(Message(role, content) for role, content in row["messages"]),
        demonstrations=tuple(row["demonstrations"]),
        completions=tuple(row["completions"]),
    )
    responses = tuple(Response(**(r | {"ids": tuple(r["ids"])})) for r in row["responses"])
    return Group(prompt, tuple(row["prompt_ids"]), responses)
