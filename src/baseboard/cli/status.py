"""`baseboard status`: where the running instance is, and how it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from baseboard.cli.client import Client
from baseboard.cli.flags import JSON, STATE
from baseboard.cli.output import print_json, print_pairs, print_table


@click.command
@STATE
@JSON
def status(state: Path, as_json: bool) -> None:
    """Show where the instance is reached, its users and sessions."""
    with Client(state) as client:
        answer, users, sessions = map(client.call, ("status", "user.list", "session.list"))
    if as_json:
        return print_json(answer | {"users": users, "open_sessions": sessions})
    answer["lan"] = f"{answer['lan']['host']} port {answer['lan']['port']}/udp"
    print_pairs((name.replace("_", " "), value) for name, value in answer.items())
    print_table(
        ("user", "name", "enabled", "limit"), ((u["id"], u["name"], u["enabled"], _limits(u)) for u in users)
    )
    if sessions:
        columns = ("handle", "user_id", "privilege", "protocol", "console")
        print_table(columns, ([session[column] for column in columns] for session in sessions))
    return None


def _limits(user: dict[str, Any]) -> str:
    return ", ".join(f"{access['limit']} on channel {channel}" for channel, access in user["access"].items())
