"""The alert destinations of a configuration file."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from baseboard.bmc.lan_configuration import AlertDestination
from baseboard.bmc.lan_parameters import DESTINATIONS
from baseboard.store.configuration import Configuration
from baseboard.store.source import found
from baseboard.store.toml_lines import Path as Loc


def configured_alerts(
    file: Configuration, mistake: Callable[[Loc, str], None]
) -> tuple[AlertDestination, ...]:
    """Where traps go. A name is no address: nobody here could wait until it is looked up."""
    destinations = []
    for number, alert in enumerate(file.alert):
        if number == DESTINATIONS:
            mistake(("alert", number), f"found {len(file.alert)} of them; allowed: {DESTINATIONS}")
            break
        try:
            address = ip_address(alert.address)
        except ValueError:
            mistake(
                ("alert", number, "address"),
                f"found {found(alert.address)}; allowed: a numeric IPv4 or IPv6 address",
            )
            continue
        destinations.append(
            AlertDestination(
                address=address,
                acknowledged=alert.acknowledged,
                timeout=alert.timeout,
                retries=alert.retries,
            )
        )
    return tuple(destinations)
