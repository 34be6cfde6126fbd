"""A partition with its state and its control socket's methods."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baseboard.errors import ConfigError
from baseboard.fleet.control import answer
from baseboard.fleet.partition.methods import METHODS, methods
from baseboard.fleet.partition.partition import Partition, open_partition, reborn
from baseboard.fleet.partition.plan import plan
from baseboard.spapr.choices import Choice
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.replaying import replay
from baseboard.spapr.saved import restore
from baseboard.store.database import Store


class Served:
    """A partition, asked as over the socket."""

    def __init__(self, state: Path, **flags: Any) -> None:
        self.partition, self._store = open_partition(state, plan(None, flags))

    def ask(self, method: str, **parameters: Any) -> Any:
        said = json.loads(answer(self.line(method, **parameters), methods(self.partition)))
        if "error" in said:
            return (said["error"]["code"], said["error"]["message"])
        return said["result"]

    def line(self, method: str, **parameters: Any) -> bytes:
        return json.dumps({"id": 1, "method": method, "params": parameters}).encode()

    def states(self) -> dict[str, str]:
        return {row["name"]: row["state"] for row in self.ask("ls")["connectors"]}

    def killed(self) -> None:
        """Nothing is said to the partition; only the lock goes."""
        self._store.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path / "state")
    yield one
    one.killed()


def test_plug_and_unplug(served: Served) -> None:
    core = {"device": "core", "id": "c1", "core_id": 1, "node": 0}
    assert served.ask("plug.core", name="c1", core=1) == core
    dimm = served.ask("plug.dimm", name="d1", size="512M")
    assert (dimm["slot"], dimm["address"], dimm["size"]) == (0, 1 << 32, 1 << 29)
    card = served.ask("plug.pci", name="n1", model="virtio-net-pci", slot=3)
    assert (card["device"], card["slot"]) == ("pci", 3)
    assert served.ask("plug.phb", name="p1", index=1)["index"] == 1
    states = served.states()
    assert states["CPU 1"] == states["LMB 16"] == states["PHB 1"] == "unusable"
    assert served.ask("unplug", id="c1") == {"requested": "c1", "there": False}
    assert "CPU 1" not in served.states()
    assert [event["event"] for event in served.ask("events")["events"]] == ["DEVICE_DELETED"]


def test_refusals_are_in_words(served: Served) -> None:
    assert served.ask("unplug", id="none") == ("refused", "Device 'none' not found")
    assert served.ask("plug.core", name="c", core=99)[0] == "refused"
    assert served.ask("plug.dimm", name="d", size="1Q") == (
        "bad-parameters",
        'plug.dimm: size: found \'1Q\'; allowed: a size such as "512M", "4G" or "1T"',
    )
    assert served.ask("tree", path="/none") == ("not-found", "no node /none")
    assert served.ask("log.get")[0] == "not-found"
    assert served.ask("plug.core", name="", core=1) == (
        "bad-parameters",
        "plug.core: name: found ''; allowed: a name, by which it can be unplugged",
    )


def test_a_card_behind_a_bridge(served: Served) -> None:
    assert served.ask("plug.pci", name="b1", model="pci-bridge", slot=6)[0] == "refused"
    assert served.ask("plug.pci", name="b1", model="pci-bridge", slot=6, bridge=3)["bridge"] == 3
    served.ask("plug.pci", name="n1", model="e1000", slot=2, chassis=3)
    states = served.states()
    assert {"C48", "C784"} < states.keys()
    assert served.ask("unplug", id="b1") == ("refused", "PCI: Hot unplug of PCI bridges not supported")


def test_cores_go_round_the_nodes(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[machine]\nram = "4G"\nnuma = ["2G", "2G"]\n')
    partition, store = open_partition(tmp_path / "state", plan(path, {}))
    line = json.dumps({"method": "plug.core", "params": {"name": "c1", "core": 1}}).encode()
    assert json.loads(answer(line, methods(partition)))["result"]["node"] == 1  # as QEMU 7.2
    store.close()


def test_what_was_acknowledged_is_there_after_kill(tmp_path: Path) -> None:
    one = Served(tmp_path / "state", cores=2, max_cores=4)
    one.ask("plug.core", name="c2", core=2)
    usable = one.ask("rtas", service="set-indicator", arguments=[9003, 0x10000002, 1])
    one.ask("fault.add", fault={"service": "set-indicator", "answers": [-2]})
    assert usable["results"] == [0]
    one.killed()
    again = Served(tmp_path / "state")
    assert again.states()["CPU 2"] == "available"
    assert again.ask("fault.list")["faults"] == [{"service": "set-indicator", "answers": [-2]}]
    again.killed()
    with pytest.raises(ConfigError, match="a different one"):
        Served(tmp_path / "state", cores=3)


def test_a_first_start_is_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed behind its first commit, a partition goes on; before it, there is none."""
    commit, commits = Store.commit, 0

    def once(store: Store, *rows: Any) -> None:
        nonlocal commits
        commits += 1
        assert commits == 1, "killed"
        commit(store, *rows)

    monkeypatch.setattr(Store, "commit", once)
    Served(tmp_path / "state").killed()
    again = Served(tmp_path / "state")
    assert again.states()["CPU 0"] == "configured"
    again.killed()


def test_rtas_with_a_work_area(served: Served) -> None:
    """configure-connector of a core: the first piece is the name of its node, at byte 20."""
    served.ask("plug.core", name="c1", core=1)
    for indicator in (9003, 9001):
        served.ask("rtas", service="set-indicator", arguments=[indicator, 0x10000001, 1])
    area = (0x10000001).to_bytes(4, "big") + bytes(4092)
    said = served.ask(
        "rtas",
        service="ibm,configure-connector",
        arguments=[0x1000, 0],
        base=0x1000,
        memory=base64.b64encode(area).decode(),
    )
    assert said["results"] == [2]
    assert (
        base64.b64decode(said["memory"])[8:40].hex()
        == "00000014" + bytes(8).hex() + b"PowerPC,POWER9@1\0".ljust(20, b"\0").hex()
    )


def test_a_log_is_replayed_on_the_machine_as_it_was_born(tmp_path: Path) -> None:
    one = Served(tmp_path / "state")
    one.ask("log.start")
    one.ask("plug.core", name="c1", core=1)
    one.ask("rtas", service="get-sensor-state", arguments=[9003, 0x10000001], results=2)
    entries = one.ask("log.get")["entries"]
    assert len(entries) == 2
    one.killed()
    assert replay(reborn(tmp_path / "state"), entries) is None
    entries[1]["result"] = [0, 1]
    assert "entry 1" in (replay(reborn(tmp_path / "state"), entries) or "")


def test_a_replay_leaves_the_partition_alone(served: Served) -> None:
    served.ask("log.start")
    served.ask("plug.core", name="c1", core=1)
    entries = served.ask("log.get")["entries"]
    assert served.ask("replay", entries=entries)["difference"].startswith("entry 0, plug_core ['c1', 1]: ")
    served.ask("unplug", id="c1")
    assert served.ask("replay", entries=entries) == {"difference": None}
    assert "CPU 1" not in served.states()
    assert len(served.ask("log.get")["entries"]) == 2


def test_a_log_comes_in_pages_that_are_not_too_large(served: Served) -> None:
    served.ask("log.start")
    area = base64.b64encode(bytes(4096)).decode()
    for _ in range(200):
        served.ask("rtas", service="ibm,configure-connector", arguments=[0, 0], memory=area)
    first = served.ask("log.get")
    assert 0 < len(first["entries"]) < 200
    rest = served.ask("log.get", after=len(first["entries"]))
    assert (first["more"], rest["more"]) == (True, False)
    assert len(first["entries"]) + len(rest["entries"]) == 200


def ask_tpm(served: Served, operation: int = 1) -> Any:
    command = base64.b64encode(bytes.fromhex("8001 0000000c 0000017b 0004")).decode()
    arguments = [operation, 0x1000, 12, 0x2000, 4096]
    return served.ask(
        "hcall", number="H_TPM_COMM", arguments=arguments, base=0x1000, memory=command, size=0x2000
    )


def test_hypercalls(served: Served) -> None:
    """By number and by name; what was written comes back, and not the rest."""
    block = base64.b64encode(bytes.fromhex("0000201c 00000001 00000002 ffffffff")).decode()
    said = served.ask("hcall", number=0xF000, arguments=[0x1000], base=0x1000, memory=block, size=24)
    written = [{"address": 0x1010, "data": base64.b64encode(bytes.fromhex("00000000 00000064")).decode()}]
    assert said == {"r3": 0, "r4": 0x1000, "written": written}
    assert served.ask("hcall", number=0xF001, arguments=[-1])["r3"] == -2
    assert served.ask("hcall", number="H_NONE")[0] == "bad-parameters"
    processors = "ffffffff 004e1200 00000000 ffffffff"
    vector = bytes.fromhex(f"{processors} 04 02008080 0080 0080 0080 05 002000000004")
    said = served.ask(
        "hcall",
        number="H_CAS",
        arguments=[0, 0x1000, 0xF000],
        memory=base64.b64encode(vector).decode(),
        size=0x10000,
    )
    assert said["r3"] == 0
    assert base64.b64decode(said["written"][0]["data"])[:8].hex() == "00000001d00dfeed"
    assert served.ask("status")["hotplug_events"]


def test_a_tpm_behind_the_proxy(tmp_path: Path) -> None:
    one = Served(tmp_path / "state")
    assert ask_tpm(one)["r3"] == -2
    assert one.ask("plug.tpm", name="t", tpm="nowhere")[0] == "bad-parameters"
    one.ask("plug.tpm", name="t", tpm=f"unix:{tmp_path}/none")
    one.ask("fault.add", fault={"service": "H_TPM_COMM", "index": 1, "answers": [1, 9901]})
    assert [ask_tpm(one)["r3"] for _ in range(2)] == [1, 9901]
    assert ask_tpm(one, 2)["r3"] == 0
    one.killed()
    again = Served(tmp_path / "state")
    said = ask_tpm(again)
    assert (said["r3"], said["r4"]) == (-16, 1)
    assert said["reason"].startswith(f"no TPM at {tmp_path}/none: No such file")
    again.partition.use_tpm("")
    assert ask_tpm(again)["reason"] == "no TPM is configured"
    assert again.ask("unplug", id="t") == {"requested": "t", "there": False}
    assert ask_tpm(again)["r3"] == -2
    again.killed()


def test_a_log_has_everything_in_order_and_where_it_began(served: Served) -> None:
    """CAS, a reboot that the guest asks for, faults; asked again of the machine as it was at log.start."""
    served.ask("plug.core", name="c1", core=1)
    served.ask("rtas", service="set-indicator", arguments=[9003, 0x10000001, 1])
    served.ask("log.start")
    served.ask("fault.add", fault={"service": "set-indicator", "answers": [-2]})
    for _ in range(2):
        served.ask("rtas", service="set-indicator", arguments=[9001, 0x10000001, 1])
    served.ask("rtas", service="system-reboot")
    test_hypercalls(served)
    page = served.ask("log.get")
    done = ["plan_fault", "rtas", "rtas", "rtas", "reset", "negotiated", "hcall", "hcall", "hcall"]
    assert [entry["do"] for entry in page["entries"]] == done
    assert "begin" not in served.ask("log.get", after=1)
    assert replay(restore(page["begin"]), page["entries"]) is None
    assert replay(PseriesMachine(served.partition.machine.settings), page["entries"]) is not None


def test_the_guests_tree_has_what_it_has_configured(served: Served) -> None:
    served.ask("plug.core", name="c1", core=1)
    served.ask("plug.dimm", name="d1", size="256M")

    def children(path: str, guest: bool) -> list[str]:
        return [child["name"] for child in served.ask("tree", path=path, guest=guest)["children"]]

    assert children("/cpus", False) == ["PowerPC,POWER9@0", "PowerPC,POWER9@1"]
    assert children("/cpus", True) == ["PowerPC,POWER9@0"]
    dynamic = served.ask("tree", path="/ibm,dynamic-reconfiguration-memory", guest=True)
    block = dynamic["properties"]["ibm,dynamic-memory"][8 + 16 * 48 :][:48]
    assert block == "000000010000000080000010000000000000000000000000"
    served.ask("reset")
    assert children("/cpus", True) == ["PowerPC,POWER9@0", "PowerPC,POWER9@1"]


def test_a_guest_that_reboots(served: Served) -> None:
    served.ask("plug.core", name="c1", core=1)
    assert served.ask("rtas", service="system-reboot")["results"] == [0]
    assert served.states()["CPU 1"] == "configured"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[machine]\ncores = 0\n", "p.toml:2: machine.cores: found 0; allowed: a whole number, 1 to 2048"),
        ('[machine]\nram = "4 GB"\n', 'p.toml:2: machine.ram: found "4 GB"; allowed: a size such as'),
        ('[machine]\nram = "100M"\n', "p.toml: ram = 104857600: use a multiple of 256 MiB"),
        (
            '[machine]\nram = "999T"\n',
            "p.toml: ram = 1098412116148224: use a number from 268435456 to 70368744177664",
        ),
        ('[machine]\nmax_ram = "1G"\n', "p.toml: max_ram = 1073741824: use a number from 4294967296 to"),
        ("[machine]\nphbs = [1, 99]\n", "p.toml: phbs = 99: use a number from 0 to 30"),
        ('[machine]\nnuma = ["1G"]\n', "p.toml: numa: the nodes have 1073741824 bytes together"),
        ('[machine]\nchoices = ["x"]\n', "p.toml: choices: there is no 'x'; use NONE, ISOLATED_IS_COMPLETE"),
        ("[machine]\nnumber = 1\n", "p.toml:2: machine.number: no such setting"),
        ('[[dimm]]\nid = "d"\nsize = "64G"\n', "p.toml"),
    ],
)
def test_machine_files(tmp_path: Path, text: str, mistake: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        plan(path, {})
    assert mistake in str(error.value)


@pytest.mark.parametrize("flags", [{"ram": "4 GB"}, {"max_ram": ""}, {"ram": "9" * 30}])
def test_flags_that_are_no_size(flags: dict[str, str]) -> None:
    ((name, value),) = flags.items()
    with pytest.raises(ConfigError) as error:
        plan(None, flags)
    assert str(error.value).startswith(
        f"--{name.replace('_', '-')}: found '{value}'; allowed: a size such as"
    )


def test_a_machine_file_with_memory_and_a_card(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        '[machine]\ncores = 2\nram = "1G"\nmax_ram = "4G"\n'
        'choices = ["LOPAR"]\n[[dimm]]\nid = "d0"\nsize = "512M"\n'
        '[[nvdimm]]\nid = "p0"\nsize = "256M"\nuuid = "d3b55c3c-4b5a-4a8e-9d6c-1f5f5c6d7e90"\n'
        '[[card]]\nid = "n0"\nmodel = "virtio-net-pci"\nslot = 3\n'
    )
    partition, store = open_partition(tmp_path / "state", plan(path, {"max_cores": 2}))
    assert partition.machine.choices is Choice.LOPAR
    names = {c.name: c.state.name for c in partition.machine.connectors.values() if c.device is not None}
    store.close()
    assert names == {
        "CPU 0": "CONFIGURED",
        "CPU 1": "CONFIGURED",
        "PHB 0": "CONFIGURED",
        "LMB 4": "CONFIGURED",
        "LMB 5": "CONFIGURED",
        "PMEM 1": "CONFIGURED",
        "C24": "CONFIGURED_CARD",
    }


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.floats(),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.sampled_from(METHODS), st.data())
def test_any_parameters_are_answered(served: Served, method: Any, data: st.DataObject) -> None:
    """Whatever a client sends is a result or an error in words, never our own fault."""
    given_ = {one.name: data.draw(_VALUES) for one in method.parameters if data.draw(st.booleans())}
    said = json.loads(answer(served.line(method.name, **given_), methods(served.partition)))
    assert ("result" in said) != ("error" in said)


def test_the_partition_says_how_it_is(served: Served) -> None:
    assert isinstance(served.partition, Partition)
    status = served.ask("status")
    assert (status["cores"], status["max_cores"], status["ram"]) == (1, 8, 4 << 30)
