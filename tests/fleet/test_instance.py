"""An instance from start to stop, without a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from baseboard.aio.endpoint import Address
from baseboard.errors import ConfigError
from baseboard.fleet.instance import Instance
from baseboard.fleet.options import Options, PowerKind
from baseboard.store.database import Store


def _options(state: Path, power: PowerKind = PowerKind.SIMULATED) -> Options:
    return Options(state=state, lan=Address("udp", host="127.0.0.1", port=0), power=power)


def _run(options: Options) -> Instance:
    """Start it and stop it again."""

    async def main() -> Instance:
        instance = Instance(options)
        try:
            await instance.start()
            assert instance.sol is not None
        finally:
            await instance.stop()
        return instance

    return asyncio.run(asyncio.wait_for(main(), 20))


def test_damaged_rows_are_the_users_to_mend(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit((), {("users", "2.password"): "not a pair"})
    store.close()
    with pytest.raises(ConfigError, match=r"baseboard\.db cannot be read .*'users'.*reset-state --state"):
        _run(_options(tmp_path))
    Store(tmp_path).close()  # and the directory is free again


def test_sol_is_served_where_there_is_no_serial_port(tmp_path: Path) -> None:
    """Else what a command activated stays active when its session has ended."""
    assert _run(_options(tmp_path, PowerKind.VM)).serial is None
