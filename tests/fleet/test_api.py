"""The methods of the control socket on a controller without sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baseboard.bmc.commands import TABLES
from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Core
from baseboard.bmc.events import PowerAction, PowerRequested
from baseboard.bmc.satellite_settings import SatelliteSettings
from baseboard.bmc.sensor_settings import ThresholdSensorSettings
from baseboard.bmc.settings import Settings
from baseboard.fleet.api import METHODS, methods
from baseboard.fleet.control import answer
from baseboard.ipmi.privilege import Privilege

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "control-socket.md"


class Controller:
    """As much of an instance as methods see."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.bmc = Bmc(settings or Settings())
        self.core = Core(self.bmc, TABLES)
        self.bmc.clock.synchronize(1_790_000_000.0, 0.0)
        self.bmc.users.provision(2, b"admin", b"geheim", Privilege.ADMINISTRATOR)
        self.bmc.start(0.0)
        self.bmc.chassis.power_changed(True, 0.0)
        self.commits: list[dict[tuple[str, str], Any]] = []
        self.events: list[Any] = []

    def now(self) -> float:
        return 100.0

    def handled(self, now: float) -> None:
        self.commits.append(self.bmc.changes.take()[1])
        while event := self.bmc.next_event():
            self.events.append(event)

    def ready(self) -> dict[str, Any]:
        return {"pid": 1}


@pytest.fixture
def controller() -> Controller:
    made = Controller()
    made.handled(0.0)
    made.commits.clear()
    made.events.clear()
    return made


def call(controller: Controller, method: str, **parameters: Any) -> Any:
    line = json.dumps({"id": 1, "method": method, "params": parameters}).encode()
    reply = json.loads(answer(line, methods(controller)))
    return reply.get("result", reply.get("error"))


def test_a_change_is_committed_before_its_answer(controller: Controller) -> None:
    added = call(controller, "sel.add", record="000002" + "00" * 13)
    (rows,) = controller.commits
    assert any(room == "sel" and value.startswith(added["record"]) for (room, _), value in rows.items())


def test_no_answer_when_it_cannot_be_committed(controller: Controller) -> None:
    def fail(now: float) -> None:
        raise OSError("disk")

    controller.handled = fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="disk"):
        call(controller, "sel.add", record="000002" + "00" * 13)


def test_power_goes_through_chassis_control(controller: Controller) -> None:
    assert call(controller, "power.status")["power"] == "on"
    assert call(controller, "power.cycle") == {"requested": "cycle"}
    assert PowerRequested(PowerAction.CYCLE) in controller.events


def test_no_password_is_shown(controller: Controller) -> None:
    (user,) = call(controller, "user.list")
    assert user == {
        "id": 2,
        "name": "admin",
        "enabled": True,
        "password_set": True,
        "access": {"1": {"limit": "administrator", "messaging": True}},
    }


def test_a_long_log_comes_in_parts(controller: Controller) -> None:
    for _ in range(10):
        call(controller, "sel.add", record="000002" + "00" * 13)
    first = call(controller, "sel.list", limit=8)
    rest = call(controller, "sel.list", after=first["records"][-1]["id"])
    assert (first["more"], rest["more"]) == (True, False)
    ids = [record["id"] for part in (first, rest) for record in part["records"]]
    assert ids == list(range(1, first["entries"] + 1))


@pytest.mark.parametrize(
    ("method", "parameters", "message"),
    [
        ("sensor.get", {}, "sensor.get: sensor is missing"),
        (
            "sensor.get",
            {"sensor": True},
            "sensor.get: sensor: found True; allowed: a sensor's name or number",
        ),
        ("sensor.list", {"x": 1}, "sensor.list: no parameter 'x'; there are none"),
        (
            "sensor.set",
            {"sensor": "Drive 1", "value": 3},
            "sensor 'Drive 1' has states: value is a list of them",
        ),
        ("sensor.set", {"sensor": "Fan 1", "value": [3]}, "sensor 'Fan 1' has a reading: value is a number"),
        (
            "sensor.set",
            {"sensor": "Fan 1", "value": 10**400},
            f"sensor.set: value: found 1{'0' * 59}; "
            "allowed: a number, a list of states, or null for no reading",
        ),
        ("sel.list", {"limit": 0}, "sel.list: limit: found 0; allowed: a whole number, 1 to 1000"),
        ("load.set", {"load": "x"}, "load.set: load: found 'x'; allowed: a number, 0 to 1"),
    ],
)
def test_parameters_that_are_wrong(
    controller: Controller, method: str, parameters: dict[str, Any], message: str
) -> None:
    assert call(controller, method, **parameters) == {"code": "bad-parameters", "message": message}


REAR = ThresholdSensorSettings(
    number=1, name="Rear Temp", sensor_type=0x01, unit=0x01, maximum=127.5, nominal=31.0, upper_critical=70.0
)


def test_a_satellites_sensors() -> None:
    """By its address and their name or number; what is the controller's own has no address."""
    board = SatelliteSettings(address=0x82, name="Fan board", sensors=(REAR,))
    controller = Controller(Settings(satellites=(board,)))
    *own, rear = call(controller, "sensor.list")
    assert (rear["key"], rear["name"], rear["number"]) == ("82h/Rear Temp", "Rear Temp", 1)
    assert all(sensor["key"] == sensor["name"] for sensor in own)
    held = call(controller, "sensor.set", sensor="82h/1", value=80)
    assert (held["key"], held["value"], held["status"]) == ("82h/Rear Temp", 80, "upper critical")
    assert call(controller, "sensor.get", sensor="82H/Rear Temp") == held
    released = call(controller, "sensor.release", sensor="82h/Rear Temp")
    assert (released["held"], released["key"]) == (False, "82h/Rear Temp")
    for nobody in ("82h/Front Temp", "82h/2", "84h/Rear Temp", "82h/", "82h/" + "1" * 5000, "Rear Temp"):
        assert call(controller, "sensor.get", sensor=nobody)["code"] == "not-found"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("CPU1 Temp"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200)
@given(data=st.data())
def test_any_parameters_are_taken_or_refused(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(METHODS))
    names = st.sampled_from([*(parameter.name for parameter in method.parameters), "other"])
    parameters = data.draw(st.dictionaries(names, anything, max_size=4))
    line = json.dumps({"id": 1, "method": method.name, "params": parameters}).encode()
    assert json.loads(answer(line, methods(CONTROLLER))).keys() in ({"id", "result"}, {"id", "error"})


CONTROLLER = Controller()


def test_the_reference_has_every_method() -> None:
    text = REFERENCE.read_text()
    for method in METHODS:
        assert f"`{method.name}`" in text
        for parameter in method.parameters:
            assert f"`{parameter.name}`" in text
