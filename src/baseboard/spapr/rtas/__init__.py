"""Run-time abstraction services: the calls by which a guest asks its platform.  [LoPAR 7.3]

`services` is the table of all calls, with a module for each topic behind it; `dispatch.Rtas` takes a call
apart, from the guest's memory or from Python, and never raises for what a guest gave it.
"""

from baseboard.spapr.rtas.dispatch import Rtas, subject
from baseboard.spapr.rtas.service import TOKENS, Service

__all__ = ["TOKENS", "Rtas", "Service", "subject"]
