"""Users: App commands 43h-47h.  [IPMI 22.26-22.30]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, bit, bits, raw, tail


class PasswordOperation(IntEnum):
    """What Set User Password is to do.  [IPMI 22.30, Table 22-35]"""

    DISABLE_USER = 0
    ENABLE_USER = 1
    SET_PASSWORD = 2
    TEST_PASSWORD = 3


class UserStatus(IntEnum):
    """Whether Set User Password enabled the user.  [IPMI 22.27, Table 22-32]"""

    UNSPECIFIED = 0
    ENABLED = 1
    DISABLED = 2


class SetUserAccessRequest(Request):
    """Limit and rights of a user on a channel.  [IPMI 22.26, Table 22-31]"""

    # fmt: off
    change_bits:         bool       = bit(1, 7)      # 0: bits 6:4 are ignored
    callback_only:       bool       = bit(1, 6)
    link_authentication: bool       = bit(1, 5)
    ipmi_messaging:      bool       = bit(1, 4)
    channel:             int        = bits(1, 3, 0)
    user_id:             int        = bits(2, 5, 0)
    limit:               int        = bits(3, 3, 0)  # Fh: no access
    session_limit:       int | None = bits(4, 3, 0, default=None)
    # fmt: on


class GetUserAccessRequest(Request):
    """[IPMI 22.27, Table 22-32]"""

    # fmt: off
    channel: int = bits(1, 3, 0)
    user_id: int = bits(2, 5, 0)
    # fmt: on


class GetUserAccessResponse(Response):
    """How many users there are, and what this one may do.  [IPMI 22.27, Table 22-32]"""

    # fmt: off
    maximum_user_ids:    int  = bits(2, 5, 0)
    user_status:         int  = bits(3, 7, 6)
    enabled_user_ids:    int  = bits(3, 5, 0)
    fixed_names:         int  = bits(4, 5, 0)
    callback_only:       bool = bit(5, 6)
    link_authentication: bool = bit(5, 5)
    ipmi_messaging:      bool = bit(5, 4)
    limit:               int  = bits(5, 3, 0)
    # fmt: on


class SetUserNameRequest(Request):
    """[IPMI 22.28, Table 22-33]"""

    # fmt: off
    user_id: int   = bits(1, 5, 0)
    name:    bytes = raw(2, 16)      # padded with zeros
    # fmt: on


class GetUserNameRequest(Request):
    """[IPMI 22.29, Table 22-34]"""

    user_id: int = bits(1, 5, 0)


class GetUserNameResponse(Response):
    """[IPMI 22.29, Table 22-34]"""

    name: bytes = raw(2, 16)


class SetUserPasswordRequest(Request):
    """Disable or enable a user, set or test the password.  [IPMI 22.30, Table 22-35]"""

    # fmt: off
    twenty_bytes: bool  = bit(1, 7)      # size of the password: 20 bytes, else 16
    user_id:      int   = bits(1, 5, 0)
    operation:    int   = bits(2, 1, 0)
    password:     bytes = tail(3)        # not needed to enable or disable
    # fmt: on

    def __repr__(self) -> str:
        return f"SetUserPasswordRequest(user_id={self.user_id}, operation={self.operation})"
