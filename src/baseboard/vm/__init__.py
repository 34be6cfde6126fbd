"""The wire between a virtual machine and its controller, as OpenIPMI's README.vm has it, both roles.

Bytes in, bytes out, events between. The sockets are in `aio/`.
"""
