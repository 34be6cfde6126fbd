"""Long lists: sensors and log of 200 and 3,000 records, as ipmitool prints them, against ipmi_sim.

    .venv/bin/python -m bench.repositories [--rounds N]

Both servers hold the same records: ours makes the SDRs of 200 sensors, ipmi_sim is given the bytes. Also SEL
entries added over the LAN per second, each kept on disk, and the CPU time of one second of 200 sensors that
all follow the simulated server.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from pathlib import Path

from baseboard.bmc.changes import Changes
from baseboard.bmc.sensor_settings import ThresholdSensorSettings
from baseboard.bmc.sensors import Sensors
from bench import peers
from bench.client import Session

SENSORS, ENTRIES, SECONDS = 200, 3000, 10
STORAGE = 0x0A
CONFIG = f"[simulation]\nsensors = false\n[sel]\ncapacity = {ENTRIES + 100}\n" + "".join(
    f'[[sensor]]\nname = "Temp {number}"\nnumber = {number}\ntype = "temperature"\nunit = "degrees C"\n'
    "nominal = 23\nupper_noncritical = 60\nupper_critical = 70\nhysteresis = 2\n"
    'follows = "inlet_temperature"\n'
    for number in range(1, SENSORS + 1)
)


def opened(peer: peers.Peer) -> Session:
    """A session at ADMINISTRATOR."""
    return Session(peer.address, peers.USER, peers.PASSWORD, 3)


def records(session: Session) -> list[bytes]:
    """The whole SDR repository."""
    found, next_id = [], 0
    while next_id != 0xFFFF:
        reservation = session.request(STORAGE, 0x22)[1:3]
        data, where = b"", next_id.to_bytes(2, "little")
        while len(data) < 5 or len(data) < 5 + data[4]:
            count = min(16, 5 + data[4] - len(data)) if len(data) >= 5 else 5
            answer = session.request(STORAGE, 0x23, reservation + where + bytes((len(data), count)))
            assert answer[0] == 0, answer.hex()
            data += answer[3:]
        found.append(data)
        next_id = int.from_bytes(answer[1:3], "little")
    return found


def emulator(sdrs: list[bytes]) -> str:
    """The same for ipmi_sim: the records, and a sensor for each full one."""
    lines = []
    for sdr in sdrs:
        lines.append("main_sdr_add 0x20 " + " ".join(f"0x{byte:02x}" for byte in sdr))
        if sdr[3] == 0x01:
            number, kind, reading = sdr[7], sdr[12], sdr[13]
            lines.append(f"sensor_add 0x20 0 {number} 0x{kind:02x} 0x{reading:02x}")
            lines.append(f"sensor_set_value 0x20 0 {number} 0x17 0")
    return "\n".join(lines) + "\n"


def add_entries(session: Session, sdrs: list[bytes]) -> float:
    """Clear the log and fill it; gives the entries added per second."""
    reservation = session.request(STORAGE, 0x42)[1:3]
    session.request(STORAGE, 0x47, reservation + b"CLR\xaa")
    numbers = [sdr[7] for sdr in sdrs if sdr[3] == 0x01]
    requests = []
    for index in range(ENTRIES - 1):
        body = bytes((0x20, 0, 4, 1, numbers[index % len(numbers)], 0x01, 0x57, 0x48, 0x46))
        requests.append(session.seal(STORAGE, 0x44, b"\0\0\x02\0\0\0\0" + body))
    start = time.perf_counter()
    for request in requests:
        session.socket.send(request)
        answer = session.socket.recv(1024)
    elapsed = time.perf_counter() - start
    assert session.open(answer)[0] == 0
    return len(requests) / elapsed


def tool(peer: peers.Peer, *words: str) -> tuple[float, int]:
    """Seconds and lines of an ipmitool command."""
    host, port = peer.address
    login = ("-H", host, "-p", str(port), "-U", peers.USER.decode(), "-P", peers.PASSWORD.decode())
    start = time.perf_counter()
    done = subprocess.run(
        ("ipmitool", "-I", "lanplus", "-C", "3", *login, *words), capture_output=True, check=True
    )
    return time.perf_counter() - start, done.stdout.count(b"\n")


def processor_time(peer: peers.Peer) -> float:
    """Seconds of CPU until now, to the nanosecond."""
    return int(Path(f"/proc/{peer.process.pid}/schedstat").read_text().split()[0]) / 1e9


def step(values: tuple[float, float]) -> float:
    """CPU seconds in which 200 sensors take one new reading each: thresholds, hysteresis, events."""
    settings = [
        ThresholdSensorSettings(
            number=number,
            name=f"Temp {number}",
            sensor_type=0x01,
            unit=0x01,
            nominal=23,
            upper_noncritical=60,
            upper_critical=70,
            hysteresis=2,
        )
        for number in range(1, SENSORS + 1)
    ]
    events: list[object] = []
    sensors = Sensors(settings, Changes(), lambda *event: events.append(event))
    readings = [sensors.get_threshold(number) for number in range(1, SENSORS + 1)]
    times = []
    for turn in range(200):
        start = time.process_time()
        for sensor in readings:
            sensor.set(values[turn & 1], float(turn))
        times.append(time.process_time() - start)
    crossed = max(values) > 60
    assert (len(events) > 100 * SENSORS) is crossed, len(events)
    return statistics.median(times)


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with peers.baseboard(CONFIG) as ours:
        session = opened(ours)
        sdrs = records(session)
        with peers.ipmi_sim(emulator(sdrs), ENTRIES + 100) as theirs:
            other = opened(theirs)
            assert [sdr[5:] for sdr in records(other)] == [sdr[5:] for sdr in sdrs]
            for name, one in (("baseboard", session), ("ipmi_sim", other)):
                print(f"{name}: {add_entries(one, sdrs):,.0f} SEL entries added per second over the LAN")
            for words in (("sdr", "elist"), ("sel", "elist")):
                mine, its = [], []
                for _ in range(rounds):
                    mine.append(tool(ours, *words))
                    its.append(tool(theirs, *words))
                ratio = statistics.median(a[0] / b[0] for a, b in zip(mine, its, strict=True))
                print(
                    f"ipmitool {' '.join(words)}: {statistics.median(a for a, _ in mine) * 1e3:.0f} ms,"
                    f" {mine[0][1]} lines; ipmi_sim {statistics.median(a for a, _ in its) * 1e3:.0f} ms,"
                    f" {its[0][1]} lines; {ratio:.2f} of its time"
                )
        before = processor_time(ours)
        time.sleep(SECONDS)
        used = (processor_time(ours) - before) / SECONDS
        print(f"a second of {SENSORS} sensors and nothing else: {used * 1e3:.2f} ms of CPU")
    print(f"every reading is another: {step((22.0, 25.0)) * 1e3:.2f} ms of CPU")
    print(f"and every one crosses two thresholds, with events: {step((22.0, 75.0)) * 1e3:.2f} ms of CPU")


if __name__ == "__main__":
    main()
