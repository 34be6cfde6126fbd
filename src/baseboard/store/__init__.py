"""Durable state in SQLite, and the configuration file."""
