"""What an administrator does to a machine: plug and unplug, one kind of device a module.

Each refuses (`Refusal`, in QEMU's words) before anything has changed, or does it and tells the guest by an
event log. A guest has no part in here: what it answers comes back through `rtas`. What is `logged` here is a
method of `PseriesMachine`, by the name that a call log has.
"""
