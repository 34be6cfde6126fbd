"""The partition's side of a POWER machine: what a guest of PAPR finds when it asks its platform.

Dynamic-reconfiguration connectors, the RTAS calls that move them, event logs, the device tree, client
architecture support and the TPM hypercall. [LoPAR] is the written standard; where QEMU differs and clients
live with it, QEMU's answer is the default and the line says so. No I/O: guest memory is an object, a TPM is
an object, `now` comes in. It knows nothing of IPMI.
"""
