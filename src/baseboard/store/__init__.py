"""Durable state, the configuration file and the first password: all that is read from and written to disk.

What was acknowledged is in the database before the answer leaves. The configuration file says how a
controller starts; what commands change later is kept beside it and wins, until `baseboard reset-state`.
Nothing here knows what a row means.

Its modules are imported by name: `directory` and `password` cost nothing, `database` brings SQLite, and
`configuration` pydantic, which only who has a file shall pay for.
"""
