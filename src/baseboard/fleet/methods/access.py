"""Users and sessions; never a password."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from baseboard.fleet.methods.method import Controlled, Method
from baseboard.ipmi.privilege import Privilege


def list_users(instance: Controlled) -> list[dict[str, Any]]:
    """Users that have a name, an access or are enabled."""
    return [
        {
            "id": user.user_id,
            "name": user.name.decode("utf-8", "replace"),
            "enabled": user.enabled,
            "password_set": bool(user.password),
            "access": {
                str(channel): {"limit": _words(access.limit), "messaging": access.ipmi_messaging}
                for channel, access in sorted(user.access.items())
            },
        }
        for user in instance.bmc.users
        if user.name or user.enabled or user.access
    ]


def list_sessions(instance: Controlled) -> list[dict[str, Any]]:
    """Sessions that are open now."""
    return [
        {
            "handle": session.handle,
            "user_id": session.user_id,
            "privilege": _words(session.privilege),
            "limit": _words(session.maximum_privilege),
            "protocol": "rmcp+" if session.rmcp_plus else "ipmi-1.5",
            "channel": session.channel,
            "console": f"{IPv4Address(session.console_ip)}:{session.console_port}",
        }
        for session in instance.bmc.sessions.active()
    ]


def _words(privilege: Privilege) -> str:
    return privilege.name.lower().replace("_", "-")


METHODS = (Method("user.list", list_users), Method("session.list", list_sessions))
