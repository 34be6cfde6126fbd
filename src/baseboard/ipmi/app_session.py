"""Messages of the commands that open, show and close sessions.  [IPMI 22.13-22.20]"""

from __future__ import annotations

from baseboard.ipmi.codec import Request, Response, bit, bits, raw, tail, u8, u24, u32


class GetChannelAuthenticationCapabilitiesRequest(Request):
    """How can one log in here?  [IPMI 22.13, Table 22-15]"""

    # fmt: off
    extended:  bool = bit(1, 7)        # the console knows IPMI 2.0
    channel:   int  = bits(1, 3, 0)
    privilege: int  = bits(2, 3, 0)
    # fmt: on


class GetChannelAuthenticationCapabilitiesResponse(Response):
    """So, for the level that was asked.  [IPMI 22.13, Table 22-15]"""

    # fmt: off
    channel:                             int  = u8(2)
    extended:                            bool = bit(3, 7)
    authentication_types:                int  = bits(3, 5, 0)  # bit 0 none, 1 MD2, 2 MD5, 4 password, 5 OEM
    has_channel_key:                     bool = bit(4, 5)      # K_G is set: two keys are needed
    per_message_authentication_disabled: bool = bit(4, 4)
    user_level_authentication_disabled:  bool = bit(4, 3)
    has_named_users:                     bool = bit(4, 2)
    has_null_user:                       bool = bit(4, 1)      # empty name, with a password
    has_anonymous_user:                  bool = bit(4, 0)      # empty name and empty password
    supports_rmcp_plus:                  bool = bit(5, 1)      # with `extended` only
    supports_ipmi15:                     bool = bit(5, 0)
    oem_id:                              int  = u24(6)
    oem_data:                            int  = u8(9)
    # fmt: on


class GetSessionChallengeRequest(Request):
    """A user wants to open an IPMI 1.5 session.  [IPMI 22.16, Table 22-21]"""

    # fmt: off
    authentication_type: int   = bits(1, 3, 0)
    name:                bytes = raw(2, 16)     # padded with zeros
    # fmt: on


class GetSessionChallengeResponse(Response):
    """[IPMI 22.16, Table 22-21]"""

    # fmt: off
    temporary_session_id: int   = u32(2)
    challenge:            bytes = raw(6, 16)
    # fmt: on


class ActivateSessionRequest(Request):
    """The user proves to know the password.  [IPMI 22.17, Table 22-22]"""

    # fmt: off
    authentication_type: int   = bits(1, 3, 0)
    maximum_privilege:   int   = bits(2, 3, 0)
    challenge:           bytes = raw(3, 16)
    outbound_sequence:   int   = u32(19)        # the first that we are to use
    # fmt: on


class ActivateSessionResponse(Response):
    """[IPMI 22.17, Table 22-22]"""

    # fmt: off
    authentication_type: int = bits(2, 3, 0)    # of all packets from now on
    session_id:          int = u32(3)
    inbound_sequence:    int = u32(7)           # the first that the console is to use
    maximum_privilege:   int = bits(11, 3, 0)
    # fmt: on


class SetSessionPrivilegeLevelRequest(Request):
    """[IPMI 22.18, Table 22-23]"""

    level: int = bits(1, 3, 0)  # 0: only tell


class SetSessionPrivilegeLevelResponse(Response):
    """[IPMI 22.18, Table 22-23]"""

    level: int = bits(2, 3, 0)


class CloseSessionRequest(Request):
    """[IPMI 22.19, Table 22-24]"""

    session_id: int = u32(1)
    handle: int | None = u8(5, default=None)  # when session_id is 0


class GetSessionInfoRequest(Request):
    """[IPMI 22.20, Table 22-25]"""

    index: int = u8(1)  # 0 this session, FEh by handle, FFh by id, else the nth
    selector: bytes = tail(2)


class GetSessionInfoResponse(Response):
    """About a session of a LAN channel; without one the rest is left out.  [IPMI 22.20, Table 22-25]"""

    # fmt: off
    handle:       int          = u8(2)
    possible:     int          = bits(3, 5, 0)
    active:       int          = bits(4, 5, 0)
    user_id:      int | None   = bits(5, 5, 0, default=None)
    privilege:    int | None   = bits(6, 3, 0, default=None)
    protocol:     int | None   = bits(7, 7, 4, default=None)  # 0 IPMI 1.5, 1 RMCP+
    channel:      int | None   = bits(7, 3, 0, default=None)
    console_ip:   bytes | None = raw(8, 4, default=None)      # most significant byte first
    console_mac:  bytes | None = raw(12, 6, default=None)
    console_port: bytes | None = raw(18, 2, default=None)     # least significant byte first
    # fmt: on


class GetChannelCipherSuitesRequest(Request):
    """[IPMI 22.15, Table 22-18]"""

    # fmt: off
    channel:      int  = bits(1, 3, 0)
    payload_type: int  = bits(2, 5, 0)
    by_suite:     bool = bit(3, 7)         # records; else the bare algorithms
    index:        int  = bits(3, 5, 0)     # which 16 bytes
    # fmt: on


class GetChannelCipherSuitesResponse(Response):
    """[IPMI 22.15, Table 22-18]"""

    # fmt: off
    channel: int   = u8(2)
    data:    bytes = tail(3)     # fewer than 16 bytes: the end
    # fmt: on
