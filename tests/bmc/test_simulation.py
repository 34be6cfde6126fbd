"""The default server: readings that make sense, and records, inventories that other programs understand."""

from __future__ import annotations

from typing import Any

import pytest
from pyghmi.ipmi.fru import FRU
from pyghmi.ipmi.private import constants
from pyghmi.ipmi.sdr import SDREntry
from pyipmi.fru import FruInventory
from pyipmi.sdr import SdrCommon, SdrCompactSensorRecord, SdrEventOnlySensorRecord, SdrFullSensorRecord
from tests.bmc.conversation import Conversation

from baseboard.bmc import Bmc, Settings
from baseboard.bmc.commands import TABLES
from baseboard.bmc.sensor import DiscreteSensor, Sensor, ThresholdSensor
from baseboard.bmc.sensor_settings import ThresholdSensorSettings
from baseboard.bmc.simulation.inventory import default_devices
from baseboard.bmc.simulation.physics import Server
from baseboard.errors import ConfigError
from baseboard.ipmi.records.fru import decode_inventory
from baseboard.ipmi.sensor_units import UNITS

GUID = bytes(range(16))


class Machine:
    """A controller whose time passes in steps of a second."""

    def __init__(self, on: bool = True) -> None:
        self.bmc = Bmc(Settings())
        self.bmc.clock.synchronize(1_795_000_000, 0)
        self.bmc.start(0.0)
        self.bmc.sel.clear(0)
        self.now = 0.0
        if on:
            self.bmc.chassis.found(True, 0.0)
        self.after(1)

    def after(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            self.bmc.handle_deadline(self.now)

    def value(self, name: str) -> float | None:
        sensor = self.bmc.sensors[name]
        assert isinstance(sensor, ThresholdSensor)
        return sensor.value

    def reading(self, name: str) -> float:
        value = self.value(name)
        assert value is not None
        return value

    def states(self, name: str) -> int:
        sensor = self.bmc.sensors[name]
        assert isinstance(sensor, DiscreteSensor)
        return sensor.states

    def logged(self) -> list[str]:
        return [record[10:].hex(" ") for record in self.bmc.sel]


def test_it_begins_warm_and_quiet() -> None:
    machine = Machine()
    for sensor in machine.bmc.sensors:
        assert sensor.available, sensor.name
        if isinstance(sensor, ThresholdSensor):
            assert sensor.comparison == 0, sensor.name
    assert 35 < machine.reading("CPU1 Temp") < 75
    assert 3_000 < machine.reading("Fan 1") < 10_000
    assert 11.8 < machine.reading("P12V") < 12.4
    assert 150 < machine.reading("System Power") < 350
    machine.after(120)
    assert machine.logged() == []


def test_load_heats_it() -> None:
    machine = Machine()
    idle = {name: machine.reading(name) for name in ("CPU1 Temp", "Fan 1", "System Power", "Exhaust Temp")}
    machine.bmc.simulation.load = 1.0
    machine.after(1)
    assert machine.reading("CPU1 Temp") < idle["CPU1 Temp"] + 5  # it takes its time
    machine.after(300)
    assert machine.reading("CPU1 Temp") > idle["CPU1 Temp"] + 15
    assert machine.reading("Fan 1") > idle["Fan 1"] + 2_000
    assert machine.reading("System Power") > idle["System Power"] + 150
    assert machine.reading("CPU1 Temp") < 92
    assert machine.logged() == []


def test_without_power() -> None:
    machine = Machine()
    speed = machine.reading("Fan 1")
    machine.bmc.chassis.power_changed(False, machine.now)
    machine.after(2)
    assert 100 < machine.reading("Fan 1") < speed * 0.7  # it spins down
    machine.after(60)
    for name in (
        "CPU1 Temp",
        "DIMM A1 Temp" if "DIMM A1 Temp" in machine.bmc.sensors else "CPU2 Temp",
        "P12V",
    ):
        assert machine.value(name) is None
    assert machine.value("Fan 1") is None
    assert machine.reading("P5V Standby") > 4.9
    assert machine.reading("VBAT") > 2.9
    assert 10 < machine.reading("System Power") < 40
    assert machine.states("Power Unit") & 1
    machine.bmc.chassis.power_changed(True, machine.now)
    machine.after(90)
    assert machine.states("Power Unit") & 1 == 0
    assert machine.reading("Fan 1") > 3_000
    assert not [record for record in machine.logged() if record.split()[2] in ("01", "81")]  # no threshold


def test_a_fan_fails() -> None:
    machine = Machine()
    machine.bmc.simulation.fail_fan(2, machine.now)
    assert machine.bmc.chassis.fan_fault
    machine.after(30)
    assert machine.reading("Fan 2") == 0
    assert machine.logged() == [
        "04 55 8b 00 ff ff",  # no longer fully redundant
        "04 55 0b 01 ff ff",  # redundancy lost
        *[record for record in machine.logged() if record.startswith("04 29 01 50")],  # lower non-critical
        *[record for record in machine.logged() if record.startswith("04 29 01 52")],  # lower critical
    ]
    assert len(machine.logged()) == 4
    machine.bmc.simulation.repair_fan(2, machine.now)
    machine.after(30)
    assert machine.reading("Fan 2") > 3_000
    assert len(machine.logged()) == 8
    assert not machine.bmc.chassis.fan_fault


def test_a_power_supply_fails() -> None:
    machine = Machine()
    before = machine.reading("PSU2 Output")
    machine.bmc.simulation.fail_power_supply(1, machine.now)
    machine.after(2)
    assert machine.reading("PSU1 Input") == 0
    assert machine.reading("PSU2 Output") > before * 1.8
    assert machine.states("PSU1 Status") == 0b11
    assert "08 50 6f 01 ff ff" in machine.logged()
    machine.bmc.simulation.repair_power_supply(1, machine.now)
    machine.after(2)
    assert machine.states("PSU1 Status") == 0b01


def test_a_held_sensor_stays() -> None:
    machine = Machine()
    sensor = machine.bmc.sensors["CPU1 Temp"]
    machine.bmc.simulation.hold(sensor, machine.now, value=99)
    machine.after(5)
    assert machine.reading("CPU1 Temp") == 99
    assert [record[:11] for record in machine.logged()] == ["01 13 01 57", "01 13 01 59"]
    machine.bmc.simulation.hold(sensor, machine.now)
    assert machine.value("CPU1 Temp") is None
    machine.bmc.simulation.release(sensor, machine.now)
    assert machine.reading("CPU1 Temp") < 75


@pytest.mark.parametrize("steps", [1, 7, 60])
def test_the_result_does_not_depend_on_the_steps(steps: int) -> None:
    server = Server()
    server.settle(False, 0.0, 22.0)
    for _ in range(600 // steps):
        server.step(steps, True, 0.8, 22.0)
    assert server.quantities["board_temperature"] == pytest.approx(32, abs=1)
    assert server.quantities["cpu1_temperature"] == pytest.approx(73, abs=4)


def test_a_first_start_leaves_a_mark_and_a_second_none() -> None:
    conversation = Conversation(*TABLES)
    conversation.bmc.clock.synchronize(1_795_000_000, 0)
    conversation.bmc.start(0.0)
    first = "01 00 02 c0 86 fd 6a 20 00 04 10 05 6f 02 ff ff"
    assert [record.hex(" ") for record in conversation.bmc.sel] == [first]
    conversation.restart()
    conversation.bmc.start(0.0)
    assert [record.hex(" ") for record in conversation.bmc.sel] == [first]


def test_sensors_follow_only_what_there_is() -> None:
    sensor = ThresholdSensorSettings(number=1, name="Lost", sensor_type=1, unit=1, follows="cpu9_temperature")
    with pytest.raises(ConfigError, match="cpu9_temperature"):
        Bmc(Settings(sensors=(sensor,)))


# What other programs make of it.


def records() -> list[bytes]:
    return list(Bmc(Settings()).sdr)


def test_python_ipmi_understands_every_sensor() -> None:
    bmc = Bmc(Settings())
    bmc.chassis.found(True, 0.0)
    bmc.handle_deadline(1.0)
    found = 0
    for data in bmc.sdr:
        record: Any = SdrCommon.from_data(data)
        if isinstance(record, SdrFullSensorRecord):
            sensor = bmc.sensors[record.number]
            assert isinstance(sensor, ThresholdSensor)
            assert record.device_id_string == sensor.name
            assert record.convert_sensor_raw_to_value(sensor.raw) == pytest.approx(sensor.value)
            for name, key in zip(("lnc", "lcr", "lnr", "unc", "ucr", "unr"), range(6), strict=True):
                assert record.threshold[name] == sensor.thresholds_raw[key]
            assert UNITS[record.units_2] in ("degrees C", "volts", "amps", "watts", "RPM")
            found += 1
        elif isinstance(record, SdrCompactSensorRecord):
            assert record.device_id_string == bmc.sensors[record.number].name
            found += 1
        else:
            assert not isinstance(record, SdrEventOnlySensorRecord) or record.number not in bmc.sensors
    assert found == len(bmc.sensors) > 30


@pytest.mark.parametrize("data", records(), ids=lambda data: data[-12:].decode("latin-1"))
def test_pyghmi_understands_every_record(data: bytes) -> None:
    entry = SDREntry(bytearray(data), constants)
    bmc = Bmc(Settings())
    if entry.rectype in (1, 2):
        sensor: Sensor = bmc.sensors[entry.sensor_number]
        assert entry.name == sensor.name
        reading = entry.decode_sensor_reading(None, bytearray(sensor.answer.data))
        if isinstance(sensor, ThresholdSensor) and sensor.value is not None:
            assert reading.value == pytest.approx(sensor.value, abs=sensor.conversion.step)


@pytest.mark.parametrize("settings", default_devices(GUID), ids=lambda settings: settings.name)
def test_inventories(settings: Any) -> None:
    conversation = Conversation(*TABLES)
    conversation.bmc.device.provision_guid(GUID)
    image = bytes(conversation.bmc.fru.get(settings.fru_id).data)
    inventory = decode_inventory(image)
    assert inventory.product is not None
    theirs: Any = FruInventory(image)
    assert theirs.product_info_area.serial_number.string == inventory.product.serial_number
    info = FRU(rawdata=bytearray(image)).info
    assert info["Manufacturer"] == "Baseboard Project"
    assert info["Serial Number"] == inventory.product.serial_number


def test_serial_numbers_belong_to_the_guid() -> None:
    one, same, other = default_devices(GUID), default_devices(GUID), default_devices(bytes(16))
    assert one == same
    serials = {
        device.inventory.product.serial_number for device in (*one, *other) if device.inventory.product
    }
    assert len(serials) == 6
