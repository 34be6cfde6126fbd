"""Hypercalls: H_RTAS, H_CAS, H_TPM_COMM, H_PUT_TERM_CHAR, by one table; others are H_FUNCTION.  [LoPAR 14]"""

from baseboard.spapr.hcalls.dispatch import BY_NAME, CALLS, Hypervisor, hypercall
from baseboard.spapr.hcalls.tpm_comm import TpmSession

__all__ = ["BY_NAME", "CALLS", "Hypervisor", "TpmSession", "hypercall"]
