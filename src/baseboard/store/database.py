"""What commands changed, in SQLite, on disk before the answer leaves.

Theory of operation. One table holds every row of every room (see `bmc.changes`), its value as JSON. Each
`commit` is one transaction in write-ahead mode. With synchronous=NORMAL a commit is in the kernel's hands
when `commit` returns: it survives `kill -9` and every crash of this program, and costs 15 us. A power cut
of the *host* may lose the last moments before it, never the file's integrity. synchronous=FULL would save
those moments too, at the price of an fsync for each change (0.22 ms on a fast virtual disk, 10 ms on a
spinning one) in which no console and no guest is served; the machine that this controller belongs to is
gone in the same power cut, so NORMAL it is.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from baseboard.bmc.changes import DELETED, Rows
from baseboard.errors import BaseboardError, ConfigError
from baseboard.store.directory import DATABASE, Lock, create_private, make_directory

APPLICATION_ID = 0x4253_4244
"""Says in the file's header whose it is ("BSBD")."""

SCHEMA_VERSION = 1

_SCHEMA = """
    CREATE TABLE kept (
        room  TEXT NOT NULL,
        key   TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (room, key)
    ) WITHOUT ROWID
"""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class StoreError(BaseboardError):
    """A change could not be written; what was there before is still there."""


class Store:
    """The rows of one state directory; holding it open keeps every other process out."""

    def __init__(self, state: Path) -> None:
        make_directory(state)
        self._lock = Lock(state)
        self._path = state / DATABASE
        try:
            os.close(create_private(self._path))
            self._database = sqlite3.connect(self._path, isolation_level=None, cached_statements=16)
            try:
                self._open()
            except BaseException:
                self._database.close()
                raise
        except (sqlite3.DatabaseError, OSError) as error:
            self._lock.close()
            raise self.damaged(error) from error
        except BaseException:
            self._lock.close()
            raise

    def _open(self) -> None:
        execute = self._database.execute
        ((application_id,),) = execute("PRAGMA application_id")
        ((version,),) = execute("PRAGMA user_version")
        if (application_id, version) == (0, 0):
            if list(execute("SELECT name FROM sqlite_master LIMIT 1")):
                raise ConfigError(f"{self._path} is a database of another program: name another --state DIR")
            execute("PRAGMA journal_mode=WAL")
            execute("BEGIN IMMEDIATE")
            execute(_SCHEMA)
            execute(f"PRAGMA application_id={APPLICATION_ID}")
            execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            execute("COMMIT")
        elif application_id != APPLICATION_ID:
            raise ConfigError(f"{self._path} is a database of another program: name another --state DIR")
        elif version > SCHEMA_VERSION:
            raise ConfigError(
                f"{self._path} was written by a newer baseboard (format {version}, this one knows "
                f"{SCHEMA_VERSION}): use the newer one, or name another directory with --state DIR"
            )
        execute("PRAGMA synchronous=NORMAL")
        ((verdict,),) = execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)

    def damaged(self, error: Exception) -> ConfigError:
        """What to say when the rows, or what they hold, cannot be read."""
        return ConfigError(
            f"{self._path} cannot be read ({error}): put back a copy of it, or begin anew with "
            f"`baseboard reset-state --state {self._path.parent}`, which forgets what commands had changed"
        )

    def load(self) -> dict[str, Rows]:
        """Every room's rows."""
        rooms: dict[str, dict[str, Any]] = {}
        try:
            for room, key, value in self._database.execute("SELECT room, key, value FROM kept"):
                rooms.setdefault(room, {})[key] = json.loads(value)
        except (sqlite3.DatabaseError, ValueError, TypeError, RecursionError) as error:
            raise self.damaged(error) from error
        return dict(rooms)

    def commit(self, cleared: Iterable[str], rows: Mapping[tuple[str, str], Any]) -> None:
        """Empty the rooms of `cleared`, then write `rows` (`DELETED` removes), all or nothing.

        Takes what `Changes.take` gives. Raises StoreError when the disk refuses.
        """
        put = [(room, key, _encode(value)) for (room, key), value in rows.items() if value is not DELETED]
        execute, executemany = self._database.execute, self._database.executemany
        try:
            execute("BEGIN IMMEDIATE")
            try:
                executemany("DELETE FROM kept WHERE room = ?", ((room,) for room in cleared))
                if len(put) < len(rows):
                    gone = (row for row, value in rows.items() if value is DELETED)
                    executemany("DELETE FROM kept WHERE room = ? AND key = ?", gone)
                executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", put)
                execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}; the change is not kept") from error

    def reset(self) -> None:
        """Forget every row."""
        try:
            self._database.execute("DELETE FROM kept")
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}; nothing was forgotten") from error

    def close(self) -> None:
        """Write everything into the one file and let others have the directory."""
        self._database.close()
        self._lock.close()


def reset_state(state: Path) -> bool:
    """Forget what commands changed, even in a damaged database; False: there was nothing.

    The password file stays. Raises ConfigError while an instance runs there.
    """
    if not state.is_dir():
        return False
    lock = Lock(state)
    try:
        files = [state / f"{DATABASE}{suffix}" for suffix in ("", "-wal", "-shm")]
        existing = [file for file in files if file.exists()]
        for file in existing:
            file.unlink()
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error
    finally:
        lock.close()
    return bool(existing)
