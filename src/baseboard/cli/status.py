"""`baseboard status`: where the running instance is, and how it is."""

from __future__ import annotations

from typing import Any

import typer

from baseboard.cli.client import Client
from baseboard.cli.flags import Json, State
from baseboard.cli.output import print_json, print_pairs, print_table

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def status(state: State, json: Json = False) -> None:
    """Show where the running instance is reached, who may log in and who is logged in."""
    with Client(state) as client:
        answer, users, sessions = map(client.call, ("status", "user.list", "session.list"))
    if json:
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
