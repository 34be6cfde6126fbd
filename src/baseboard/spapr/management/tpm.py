"""The TPM proxy: one a machine, without a connector, so that no guest is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.call_log import logged
from baseboard.spapr.devices import TpmProxy
from baseboard.spapr.management.common import check_name
from baseboard.spapr.refusal import Refusal

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


@logged
def plug_tpm_proxy(machine: PseriesMachine, name: str, /, where: str = "") -> TpmProxy:
    check_name(machine, name)
    if machine.tpm_proxy is not None:
        raise Refusal("Only one TPM proxy can be specified for this machine")
    machine.tpm_proxy = proxy = TpmProxy(name, where)
    if name:
        machine.names[name] = proxy
    return proxy


def unplug(machine: PseriesMachine, proxy: TpmProxy) -> None:
    machine.tpm_proxy = None
    machine.on_tpm_close()
    machine.forget(proxy)
