"""Thin asyncio shells: sockets and ptys around the machines of `lan/`, `vm/` and `bmc/`."""
