"""Any bytes to the commands of identity and access: answered, kept, and the same after a restart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc.handlers import channels, device, lan_configuration, system_info, users

TABLES = (device.TABLE, channels.TABLE, users.TABLE, system_info.TABLE, lan_configuration.TABLE)
COMMANDS = [(table.netfn << 2, row.number) for table in TABLES for row in table.commands if row.handler]

READS = (
    *(f"18 44 01 {user:02x}" for user in range(1, 17)),
    *(f"18 46 {user:02x}" for user in range(1, 17)),
    "18 41 01 40",
    "18 56 01 00 01",
    "18 37",
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(COMMANDS), st.one_of(st.binary(max_size=3), st.binary(max_size=24)), st.booleans()
        ),
        max_size=20,
    )
)
def test_any_bytes(requests: list[tuple[tuple[int, int], bytes, bool]]) -> None:
    talk = Conversation(*TABLES)
    talk.bmc.users.provision(2, b"admin", b"secret")
    for (netfn_lun, command), data, over_lan in requests:
        send = talk.over_lan if over_lan else talk.ask
        answer = bytes.fromhex(send(f"{netfn_lun:02x} {command:02x} {data.hex()}"))
        assert answer[2] == 0 or len(answer) == 3
    before = [talk.ask(read) for read in READS]
    talk.restart()
    talk.bmc.users.provision(2, b"admin", b"secret")
    assert [talk.ask(read) for read in READS] == before
    talk.bmc.authority.login_status(1)
    talk.bmc.authority.policy(1)
