"""Valid answers on disk, so that none is asked for twice, also after a crash."""

import errno
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from mnpo.errors import DiskFull, UserError
from mnpo.judging.calls import Call, Usage, Value
from mnpo.printable import storable
from mnpo.runs.files import digest

_LOG = logging.getLogger(__name__)
#: Marks the file as this store's ("mnpo"), and which form of it.
_APPLICATION, _VERSION = 0x6D6E706F, 1
#: Seconds to wait for another process that writes.
_PATIENCE = 60.0
_TABLE = """
CREATE TABLE answers (
    key TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL,
    reply TEXT NOT NULL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    seal TEXT NOT NULL,
    judge TEXT NOT NULL,
    item TEXT NOT NULL,
    contract TEXT NOT NULL,
    template TEXT NOT NULL,
    "order" TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    seconds REAL NOT NULL,
    answered_at REAL NOT NULL
)
"""
_READ = "SELECT value, reply, prompt_tokens, completion_tokens, seal FROM answers WHERE key = ?"
_WRITE = f"INSERT OR REPLACE INTO answers VALUES ({', '.join('?' * 14)})"


@dataclass(frozen=True)
class Answer:
    """A valid answer.

    Attributes:
        value: what the contract read.
        reply: the text it was read from.
        usage: tokens of the request that brought it.
    """

    value: Value
    reply: str
    usage: Usage | None = None


class AnswerCache:
    """Answers by key in one SQLite file, each written as it comes.

    Several processes may use one file at once (on one machine: it is in write-ahead mode, which
    network file systems do not carry). What is written survives the end of the process, however
    sudden; after a power cut the last few answers may be gone, the file is whole. Every row
    carries a hash of its key, value, reply and usage: one that does not fit counts as not given,
    and a warning at the end says how many there were. The first answer to a question stays.
    Questions themselves are not kept.

    Args:
        path: of the file, made with its folder at the first answer; None keeps answers in memory.

    Raises:
        UserError: from any method: the file is damaged, or something else.
        DiskFull: from `put`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._database: sqlite3.Connection | None = None
        self._lock = threading.RLock()
        self._damaged: set[str] = set()

    def __enter__(self) -> "AnswerCache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; it opens again when it is needed. What was in memory is gone.

        Damaged rows that were met are told here, in one line.
        """
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
            if number := len(self._damaged):
                what = "1 answer is damaged; it counts" if number == 1 else ""
                what = what or f"{number} answers are damaged; they count"
                _LOG.warning("%s: %s as not given", self.path, what)
                self._damaged.clear()

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __len__(self) -> int:
        """Rows, damaged ones among them."""
        with self._use(write=False) as database:
            if database is None:
                return 0
            return int(database.execute("SELECT count(*) FROM answers").fetchone()[0])

    def get(self, key: str) -> Answer | None:
        """The answer under a key, None where there is none that is whole."""
        with self._use(write=False) as database:
            return None if database is None else self._read(database, key)

    def put(self, key: str, answer: Answer, *, call: Call, judge: str, seconds: float) -> None:
        """Keep an answer, unless there is one.

        Args:
            key: hex digest of everything that the answer depends on.
            answer: its value JSON-ready.
            call: what was asked; its item, contract, template, order and repeat stand beside the
                answer for people who read the file.
            judge: name of who answered.
            seconds: that it took.
        """
        value = json.dumps(answer.value, allow_nan=False)
        reply = storable(answer.reply)
        usage = answer.usage
        tokens = (None, None) if usage is None else (usage.prompt_tokens, usage.completion_tokens)
        notes = (judge, call.item, call.contract.name, call.template, call.order)
        row = (
            *(key, value, reply, *tokens, _seal(key, value, reply, *tokens)),
            *map(storable, notes),
            *(call.repeat, seconds, time.time()),
        )
        with self._use(write=True) as database:
            assert database is not None
            database.execute("BEGIN IMMEDIATE")  # nobody else writes between the look and the row
            try:
                if self._read(database, key) is None:
                    database.execute(_WRITE, row)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def means(self, judge: str) -> tuple[float | None, float | None]:
        """Mean completion tokens and mean seconds of a judge's answers; None where none tells."""
        with self._use(write=False) as database:
            if database is None:
                return None, None
            found = database.execute(
                "SELECT avg(completion_tokens), avg(seconds) FROM answers WHERE judge = ?",
                (storable(judge),),
            ).fetchone()
        return found[0], found[1]

    def _read(self, database: sqlite3.Connection, key: str) -> Answer | None:
        found = database.execute(_READ, (key,)).fetchone()
        if found is None:
            return None
        value, reply, prompt_tokens, completion_tokens, seal = found
        if seal != _seal(key, value, reply, prompt_tokens, completion_tokens):
            self._damaged.add(key)
            return None
        counted = prompt_tokens is not None
        usage = Usage(prompt_tokens, completion_tokens) if counted else None
        return Answer(json.loads(value), reply, usage)

    @contextmanager
    def _use(self, *, write: bool) -> Iterator[sqlite3.Connection | None]:
        """The open database; None to a reader where nothing has been written yet."""
        with self._lock:
            try:
                if self._database is None and (write or self._there()):
                    self._database = self._connect()
                yield self._database
            except sqlite3.Error as error:
                raise self._told(error) from error

    def _there(self) -> bool:
        return self.path is not None and self.path.exists()

    def _connect(self) -> sqlite3.Connection:
        if self.path is None:
            where = ":memory:"
        else:
            where = str(self.path)
            self._make_folder(self.path.parent)
        database = sqlite3.connect(
            where, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            # A damaged text must reach its seal: no error in the middle of reading it.
            database.text_factory = lambda raw: raw.decode("utf-8", "replace")
            _prepare(database, self.path)
        except BaseException:
            database.close()
            raise
        return database

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise (DiskFull if full else UserError)(
                f"the folder for the judges' answers in {self.path} cannot be made: "
                f"{error.strerror}"
            ) from error

    def _told(self, error: sqlite3.Error) -> UserError:
        where = f"the judges' answers in {self.path}"
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        why = " ".join(str(error).split())[:120]
        if code == sqlite3.SQLITE_FULL:
            return DiskFull(
                f"the disk is full: could not write {where}; free some space and repeat the "
                "command, earlier answers are kept"
            )
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or not code:
            return UserError(
                f"{where} cannot be read ({why}); the file is damaged or something else: move it "
                "away to ask again, or save what is whole with sqlite3's .recover"
            )
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return UserError(f"{where}: another process has kept them locked for {_PATIENCE:g} s")
        return UserError(f"{where} cannot be used ({why})")


def _prepare(database: sqlite3.Connection, path: Path | None) -> None:
    """Check that the file is ours, or make it so.

    Raises:
        UserError: it is another program's, or of another version.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            # Not synced at every commit: the end of a process loses nothing, and a power cut the
            # end of the log.
            database.execute("PRAGMA synchronous = NORMAL")
            application = database.execute("PRAGMA application_id").fetchone()[0]
            if application != _APPLICATION:
                _create(database, path)
            # Several processes that open a new file at once get each other's locks, for which
            # SQLite does not wait here by itself.
            database.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            busy = (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version != _VERSION:
        raise UserError(
            f"{path} holds judges' answers in form {version}, and this program reads form "
            f"{_VERSION}; name another file"
        )


def _create(database: sqlite3.Connection, path: Path | None) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        if database.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise UserError(f"{path} is another program's database; name another file")
            database.execute(_TABLE)
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {_VERSION}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _seal(key: str, *stored: object) -> str:
    """Of all that is used of a row, as it is stored; 64 bits tell an altered one."""
    try:
        return digest([key, *stored])[:16]
    except (TypeError, ValueError):  # a damaged row holds bytes, or a number that is none
        return "damaged"
