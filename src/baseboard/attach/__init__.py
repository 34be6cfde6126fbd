"""QEMU processes that run already, reached from outside: by monitor, qtest and debugger.

Blocking clients with deadlines, made for a thread of their own: a register transaction is a hundred short
turns, each of which the next one waits for. What they find out goes to the event loop as results.

Not here: QEMU processes that we start ourselves (`power`).
"""
