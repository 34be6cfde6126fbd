"""Hypercalls: H_RTAS, H_CAS and H_TPM_COMM, by one table. All others answer H_FUNCTION.  [LoPAR 14]"""

from baseboard.spapr.hcalls.dispatch import CALLS, Hypervisor
from baseboard.spapr.hcalls.tpm_comm import TpmSession

__all__ = ["CALLS", "Hypervisor", "TpmSession"]
