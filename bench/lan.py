"""Requests per second over RMCP+ and the VM wire, start-up time and memory, against the peers.

    .venv/bin/python -m bench.lan [--rounds N] [--requests N]

Every round measures each server once, so that a slow moment of the machine hits all; ratios are medians of
same-round pairs.
"""

from __future__ import annotations

import argparse
import socket
import statistics
from collections import defaultdict

from bench import peers
from bench.client import Result, run_lan, run_vm


def measure(peer: peers.Peer, requests: int) -> dict[str, Result]:
    """Every figure of one server."""
    results = {}
    scale = 5 if peer.name == "pyghmi" else 1
    for suite in peer.suites:
        for sessions in (1, 32):
            key = f"suite {suite}, {sessions} session{'s' * (sessions > 1)}"
            results[key] = run_lan(
                peer.address, peers.USER, peers.PASSWORD, suite, sessions, requests // scale
            )
    if peer.vm_port:
        with socket.create_connection(("127.0.0.1", peer.vm_port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            results["VM wire"] = run_vm(connection, requests)
    return results


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--peers", default=",".join(peers.ALL))
    arguments = parser.parse_args()
    figures: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    started: dict[str, list[float]] = defaultdict(list)
    for _ in range(arguments.rounds):
        for name in arguments.peers.split(","):
            with peers.ALL[name]() as peer:
                started[name].append(peer.started)
                at_start = peer.resident
                cpu = peer.cpu
                results = measure(peer, arguments.requests)
                for key, result in results.items():
                    figures[key][name].append(result)
                print(
                    f"{name:10} start {peer.started * 1e3:6.0f} ms  CPU {peer.cpu - cpu:5.2f} s"
                    f"  resident {at_start:5.1f} -> {peer.resident:5.1f} MB"
                )
    print(f"\n{'':22}{'server':12}{'requests/s':>12}{'p50 us':>9}{'p99 us':>9}{'of ipmi_sim':>13}")
    for key, by_name in figures.items():
        for name, runs in by_name.items():
            against = by_name.get("ipmi_sim") or figures[key.replace("17", "3")].get("ipmi_sim") or []
            ratio = (
                statistics.median(a.rate / b.rate for a, b in zip(runs, against, strict=False))
                if against
                else 0
            )
            print(
                f"{key:22}{name:12}{statistics.median(r.rate for r in runs):12,.0f}"
                f"{statistics.median(r.p50 for r in runs):9.0f}{statistics.median(r.p99 for r in runs):9.0f}"
                f"{ratio:13.2f}"
            )
    for name, times in started.items():
        print(f"{name}: first answer {statistics.median(times) * 1e3:.0f} ms after exec")


if __name__ == "__main__":
    main()
