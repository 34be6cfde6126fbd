"""The LAN in front of the controller: RMCP, ASF, IPMI 1.5 and RMCP+ sessions, serial over LAN.

Datagrams in, datagrams out; inside, requests for a `Handler`. It opens no socket, reads no clock and
draws no random number. Who may log in is asked of an `Authority`.
"""

from baseboard.lan.authority import Account, Authority, ChannelPolicy, LoginStatus
from baseboard.lan.server import LanServer
from baseboard.lan.session import PayloadReceiver
from baseboard.lan.settings import LanSettings

__all__ = [
    "Account",
    "Authority",
    "ChannelPolicy",
    "LanServer",
    "LanSettings",
    "LoginStatus",
    "PayloadReceiver",
]
