"""Command handlers by net function: each module is a table and the functions that it names."""
