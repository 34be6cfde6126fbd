"""Who may log in: the controller's users, channels and LAN parameters as `lan/` asks for them.

Only asked when a session is opened, so it keeps nothing of its own.
"""

from __future__ import annotations

from baseboard.bmc.channels import Channels
from baseboard.bmc.device import Device
from baseboard.bmc.lan_configuration import LanConfiguration
from baseboard.bmc.serial_configuration import SerialConfiguration
from baseboard.bmc.users import NULL_USER, User, Users
from baseboard.ipmi.app_channels import AccessMode
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.ipmi.transport_serial import SerialParameter
from baseboard.lan.authority import Account, ChannelPolicy, LoginStatus

NO_SESSIONS = ChannelPolicy(
    enabled=False,
    limit=Privilege.NO_ACCESS,
    per_message_authentication=True,
    user_level_authentication=True,
    authentication_types=(0, 0, 0, 0, 0),
)


class BmcAuthority:
    """Implements `baseboard.lan.authority.Authority`."""

    def __init__(
        self,
        device: Device,
        users: Users,
        channels: Channels,
        lan_configuration: LanConfiguration,
        serial_configuration: SerialConfiguration,
    ) -> None:
        self._device = device
        self._users = users
        self._channels = channels
        self._lan_configuration = lan_configuration
        self._serial_configuration = serial_configuration

    @property
    def guid(self) -> bytes:
        """System GUID in packet order."""
        return self._device.guid

    @property
    def channel_key(self) -> bytes:
        """K_G of the LAN channel; empty when it is not set."""
        channel = self._channels.get(Channel.LAN)
        return b"" if channel is None else channel.key

    def policy(self, channel: int) -> ChannelPolicy:
        """The channel's volatile access settings."""
        state = self._channels.get(channel)
        if state is None or not state.has_sessions:
            return NO_SESSIONS
        access = state.volatile
        return ChannelPolicy(
            enabled=access.mode is not AccessMode.DISABLED,
            limit=access.limit,
            per_message_authentication=access.per_message_authentication,
            user_level_authentication=access.user_level_authentication,
            authentication_types=self._authentication_types(channel),
        )

    def _authentication_types(self, channel: int) -> tuple[int, int, int, int, int]:
        if channel != Channel.SERIAL:
            return self._lan_configuration.enabled_authentication_types()
        enables = self._serial_configuration.get(SerialParameter.AUTHENTICATION_TYPE_ENABLES)
        callback, user, operator, administrator, oem = enables
        return callback, user, operator, administrator, oem

    def cipher_suite_limit(self, channel: int, suite: int) -> Privilege:
        """As LAN parameter 24 says."""
        return self._lan_configuration.cipher_suite_limit(suite)

    def cipher_suites(self, channel: int) -> tuple[int, ...]:
        """Suites that are on, preferred first."""
        return self._lan_configuration.cipher_suites()

    def account(self, channel: int, name: bytes, privilege: Privilege | None) -> Account | None:
        """The first user in order of id that fits."""
        for user in self._users:
            if not self._may_log_in(user, channel) or user.name != name:
                continue
            if not name and user.user_id != NULL_USER:
                continue  # an id that has no name yet
            limit = min(user.access[channel].limit, self.policy(channel).limit)
            if privilege is not None and privilege != limit:
                continue
            return Account(user.user_id, user.name, user.password, limit, user.password_size == 16)
        return None

    def session_limit_reached(self, user_id: int, channel: int, open_sessions: int) -> bool:
        """As Set User Access says; 0 is no limit."""
        limit = self._users.access(user_id, channel).session_limit
        return 0 < limit <= open_sessions

    def login_status(self, channel: int) -> LoginStatus:
        """Which kinds of users could log in now."""
        able = [user for user in self._users if self._may_log_in(user, channel)]
        null = next((user for user in able if user.user_id == NULL_USER), None)
        return LoginStatus(
            anonymous=null is not None and not null.password,
            null_names=null is not None and bool(null.password),
            other_names=any(user.name for user in able),
        )

    def _may_log_in(self, user: User, channel: int) -> bool:
        access = self._users.access(user.user_id, channel)
        return user.enabled and access.ipmi_messaging and access.limit != Privilege.NO_ACCESS
