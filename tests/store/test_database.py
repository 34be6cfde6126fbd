"""What was committed is there again, whatever happened in between."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baseboard.bmc.changes import Changes
from baseboard.errors import ConfigError
from baseboard.store.database import SCHEMA_VERSION, Store, StoreError, reset_state
from baseboard.store.directory import DATABASE, LOCK

rooms = st.sampled_from(["sel", "users", "clock", "sdr"])
keys = st.sampled_from(["1", "2", "next", ""]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=4,
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), rooms, keys, values),
        st.tuples(st.just("delete"), rooms, keys, st.none()),
        st.tuples(st.just("clear"), rooms, st.just(""), st.none()),
        st.tuples(st.just("commit"), st.just(""), st.just(""), st.none()),
        st.tuples(st.just("reopen"), st.just(""), st.just(""), st.none()),
    ),
    max_size=30,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_any_sequence_of_changes_equals_a_dict_after_reload(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str, Any]]
) -> None:
    state = tmp_path_factory.mktemp("state")
    changes, model = Changes(), dict[str, dict[str, Any]]()
    store = Store(state)
    for step, room, key, value in steps:
        match step:
            case "put":
                changes.put(room, key, value)
                model.setdefault(room, {})[key] = value
            case "delete":
                changes.delete(room, key)
                model.get(room, {}).pop(key, None)
            case "clear":
                changes.clear(room)
                model.pop(room, None)
            case _:
                store.commit(*changes.take())
                if step == "reopen":
                    store.close()
                    store = Store(state)
    store.commit(*changes.take())
    store.close()
    store = Store(state)
    loaded = store.load()
    store.close()
    assert loaded == {room: rows for room, rows in model.items() if rows}


COMMIT_AND_DIE = """
import os, signal, sys
from pathlib import Path
from baseboard.store.database import Store
store = Store(Path(sys.argv[1]))
for number in range(50):
    store.commit([], {("sel", str(number)): "acknowledged"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_committed_survives_kill_9(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", COMMIT_AND_DIE, tmp_path], check=False, timeout=30)
    assert child.returncode == -signal.SIGKILL
    store = Store(tmp_path)
    assert store.load() == {"sel": {str(number): "acknowledged" for number in range(50)}}
    store.close()


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    state = tmp_path / "a" / "b"
    before = os.umask(0)
    try:
        store = Store(state)
        store.commit([], {("users", "2"): "secret"})
    finally:
        os.umask(before)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in state.iterdir()} == {0o600}
    assert {file.name for file in state.iterdir()} == {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", LOCK}
    store.close()


def test_a_second_instance_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ConfigError, match=rf"in use by process {os.getpid()}: stop that instance"):
        Store(tmp_path)
    with pytest.raises(ConfigError, match="in use"):
        reset_state(tmp_path)
    store.close()
    Store(tmp_path).close()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        pytest.param(
            f"PRAGMA user_version={SCHEMA_VERSION + 1}",
            r"newer baseboard \(format 2, this one knows 1\)",
            id="newer",
        ),
        pytest.param("PRAGMA application_id=17", "another program", id="foreign"),
        pytest.param(
            "UPDATE kept SET value='{'", "cannot be read .*baseboard reset-state --state", id="no json"
        ),
        pytest.param("DROP TABLE kept", "cannot be read .*no such table", id="no table"),
    ],
)
def test_a_database_that_is_not_ours(tmp_path: Path, sql: str, message: str) -> None:
    store = Store(tmp_path)
    store.commit([], {("sel", "1"): 1})
    store.close()
    database = sqlite3.connect(tmp_path / DATABASE)
    database.execute(sql)
    database.commit()
    database.close()
    with pytest.raises(ConfigError, match=message):
        Store(tmp_path).load()


def test_a_strangers_tables_are_left_alone(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / DATABASE)
    database.execute("CREATE TABLE theirs (x)")
    database.close()
    with pytest.raises(ConfigError, match="another program"):
        Store(tmp_path)


@pytest.mark.parametrize("damage", [b"not a database at all" * 50, b"SQLite format 3\0" + bytes(100)])
def test_a_damaged_file_is_named_and_reset_state_mends_it(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(damage)
    with pytest.raises(ConfigError, match=rf"{DATABASE} cannot be read .*reset-state --state {tmp_path}"):
        Store(tmp_path).load()
    assert reset_state(tmp_path)
    store = Store(tmp_path)
    assert store.load() == {}
    store.close()


def test_a_refused_commit_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit([], {("sel", "1"): 1})
    other = sqlite3.connect(tmp_path / DATABASE)
    other.execute("CREATE TRIGGER full BEFORE INSERT ON kept BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="disk full; the change is not kept"):
        store.commit(["sel"], {("sel", "2"): 2})
    assert store.load() == {"sel": {"1": 1}}
    store.close()


def test_reset(tmp_path: Path) -> None:
    assert not reset_state(tmp_path / "nowhere")
    assert not reset_state(tmp_path)
    store = Store(tmp_path)
    store.commit([], {("sel", "1"): 1})
    store.reset()
    assert store.load() == {}
    store.close()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"state directory .*file.*--state DIR"):
        Store(tmp_path / "file")
    with pytest.raises(ConfigError, match=r"state directory .*--state DIR"):
        Store(tmp_path / "file" / "below")
