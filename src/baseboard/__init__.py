"""The management side of a virtual machine."""
