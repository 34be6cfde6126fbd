"""Cipher suites of RMCP+ and the keyed objects that a session keeps.  [IPMI 13.28-13.33; 22.15.2]

Nothing is made per packet: an HMAC is two hash objects that already ate the padded key and are copied, AES
is one encryptor and one decryptor.

CBC with a kept context: after a packet the chain holds its last ciphertext block P. Encrypting one random
block R first yields E(R xor P), as good an initialization vector as R itself and already encrypted in front
of what follows: vector and ciphertext are one call. The decryptor reads vector and ciphertext in one go,
too: only the first block, where the vector was, comes out as garbage.

xRC4 is not offered: nobody implements it alike, and DCMI advises against it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import NamedTuple, Protocol


class Authentication(IntEnum):
    """[IPMI 13.28, Table 13-17]"""

    NONE = 0
    HMAC_SHA1 = 1
    HMAC_MD5 = 2
    HMAC_SHA256 = 3


class Integrity(IntEnum):
    """[IPMI 13.28.4, Table 13-18]"""

    NONE = 0
    HMAC_SHA1_96 = 1
    HMAC_MD5_128 = 2
    MD5_128 = 3
    HMAC_SHA256_128 = 4


class Confidentiality(IntEnum):
    """[IPMI 13.28.5, Table 13-19]"""

    NONE = 0
    AES_CBC_128 = 1


class CipherSuite(NamedTuple):
    """Three algorithms that go together."""

    authentication: Authentication
    integrity: Integrity
    confidentiality: Confidentiality


def _suite(authentication: int, integrity: int, confidentiality: int) -> CipherSuite:
    return CipherSuite(Authentication(authentication), Integrity(integrity), Confidentiality(confidentiality))


# fmt: off
SUITES = {  # [IPMI 22.15.2, Table 22-20]; the suites with xRC4 are left out
    #  id       authentication  integrity  confidentiality
    0:   _suite(0,              0,         0),
    1:   _suite(1,              0,         0),
    2:   _suite(1,              1,         0),
    3:   _suite(1,              1,         1),
    6:   _suite(2,              0,         0),
    7:   _suite(2,              2,         0),
    8:   _suite(2,              2,         1),
    11:  _suite(2,              3,         0),
    12:  _suite(2,              3,         1),
    15:  _suite(3,              0,         0),
    16:  _suite(3,              4,         0),
    17:  _suite(3,              4,         1),
}

DIGESTS = {
    Authentication.HMAC_SHA1:   "sha1",
    Authentication.HMAC_MD5:    "md5",
    Authentication.HMAC_SHA256: "sha256",
}

CODE_LENGTHS = {  # of the integrity check value, in a RAKP 4 and behind every packet
    Integrity.HMAC_SHA1_96:    12,
    Integrity.HMAC_MD5_128:    16,
    Integrity.MD5_128:         16,
    Integrity.HMAC_SHA256_128: 16,
}

RAKP_4_LENGTHS = {
    Authentication.NONE:        0,
    Authentication.HMAC_SHA1:   12,
    Authentication.HMAC_MD5:    16,
    Authentication.HMAC_SHA256: 16,
}

_INTEGRITY_DIGESTS = {
    Integrity.HMAC_SHA1_96:    "sha1",
    Integrity.HMAC_MD5_128:    "md5",
    Integrity.HMAC_SHA256_128: "sha256",
}
# fmt: on

RECORD_START = 0xC0
TAG_INTEGRITY = 0x40
TAG_CONFIDENTIALITY = 0x80


def suite_records(ids: Iterable[int]) -> bytes:
    """The cipher suite records of Get Channel Cipher Suites, "none" entries included.  [IPMI Table 22-19]

    ipmitool reads records of five bytes whatever their tags say.
    """
    return b"".join(
        bytes(
            (
                RECORD_START,
                number,
                SUITES[number].authentication,
                TAG_INTEGRITY | SUITES[number].integrity,
                TAG_CONFIDENTIALITY | SUITES[number].confidentiality,
            )
        )
        for number in sorted(ids)
        if number in SUITES
    )


def suite_algorithms(ids: Iterable[int]) -> bytes:
    """The algorithms of these suites, each once, with their tags."""
    suites = [SUITES[number] for number in ids if number in SUITES]
    algorithms_ = {int(suite.authentication) for suite in suites}
    algorithms_ |= {TAG_INTEGRITY | suite.integrity for suite in suites}
    algorithms_ |= {TAG_CONFIDENTIALITY | suite.confidentiality for suite in suites}
    return bytes(sorted(algorithms_))


class Hash(Protocol):
    """What `hashlib` makes."""

    def copy(self) -> Hash:
        """An independent hash of the same bytes so far."""

    def update(self, data: bytes, /) -> None:
        """Go on."""

    def digest(self) -> bytes:
        """The value."""


class PacketCode(Protocol):
    """An integrity algorithm with its key."""

    length: int

    def code(self, data: bytes) -> bytes:
        """The authentication code behind a packet; `data` is from format byte to next header."""


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_BLOCK = 64  # of MD5, SHA-1 and SHA-256 alike


class KeyedHash:
    """HMAC as two hash objects that have read the key.  [RFC 2104]"""

    __slots__ = ("inner", "length", "outer")

    def __init__(self, key: bytes, digest: str, length: int) -> None:
        block = key.ljust(_BLOCK, b"\x00")  # keys here have 20 bytes, or 32
        self.inner: Hash = hashlib.new(digest, block.translate(_INNER), usedforsecurity=False)
        self.outer: Hash = hashlib.new(digest, block.translate(_OUTER), usedforsecurity=False)
        self.length = length

    def code(self, data: bytes) -> bytes:
        """The first `length` bytes of the HMAC."""
        inner = self.inner.copy()
        inner.update(data)
        outer = self.outer.copy()
        outer.update(inner.digest())
        return outer.digest()[: self.length]


class EnclosedHash:
    """MD5 between two copies of the password; K1 has no part in it.  [IPMI 13.28.4]"""

    __slots__ = ("_key", "_start", "length")

    def __init__(self, password: bytes) -> None:
        self._key = password.ljust(20, b"\x00")
        self._start: Hash = hashlib.new("md5", self._key, usedforsecurity=False)
        self.length = CODE_LENGTHS[Integrity.MD5_128]

    def code(self, data: bytes) -> bytes:
        """The whole MD5."""
        whole = self._start.copy()
        whole.update(data + self._key)
        return whole.digest()


def packet_code(integrity: Integrity, k1: bytes, password: bytes) -> PacketCode | None:
    """The integrity algorithm with its key; None for "none"."""
    if integrity is Integrity.NONE:
        return None
    if integrity is Integrity.MD5_128:
        return EnclosedHash(password)
    return KeyedHash(k1, _INTEGRITY_DIGESTS[integrity], CODE_LENGTHS[integrity])


AES_BLOCK = 16
# Confidentiality trailer: n pad bytes 01h, 02h, ... and their number.  [IPMI 13.29, Table 13-20]
AES_TRAILERS = tuple(bytes(range(1, n + 1)) + bytes((n,)) for n in range(AES_BLOCK))


class Aes:
    """AES-CBC-128 keyed with the first 16 bytes of K2.  [IPMI 13.29]"""

    __slots__ = ("decrypt_blocks", "encrypt_blocks")

    def __init__(self, k2: bytes) -> None:
        # The start does not wait for these, the first session does: 8 ms, 4 MB.
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        cipher = Cipher(algorithms.AES(k2[:16]), modes.CBC(bytes(16)))
        self.encrypt_blocks: Callable[[bytes], bytes] = cipher.encryptor().update
        """Takes a random block and the padded text, gives vector and ciphertext."""
        self.decrypt_blocks: Callable[[bytes], bytes] = cipher.decryptor().update
        """Takes vector and ciphertext, gives 16 bytes of garbage and the padded text."""

    def encrypt(self, text: bytes, random_block: bytes) -> bytes:
        """Vector, and `text` with its trailer encrypted."""
        return self.encrypt_blocks(random_block + text + AES_TRAILERS[~len(text) & 15])

    def decrypt(self, payload: bytes) -> bytes | None:
        """The text; None when length or trailer are wrong."""
        if len(payload) % AES_BLOCK or len(payload) < 2 * AES_BLOCK:
            return None
        padded = self.decrypt_blocks(payload)
        pad = padded[-1]
        if pad >= AES_BLOCK or not padded.endswith(AES_TRAILERS[pad]):
            return None
        return padded[AES_BLOCK : -1 - pad]


class FastKeys:
    """What the fast path takes from a session with HMAC and AES, one attribute away."""

    __slots__ = ("code_length", "decrypt_blocks", "encrypt_blocks", "head", "inner", "outer")

    def __init__(self, code: KeyedHash, aes: Aes, head: bytes) -> None:
        self.inner = code.inner
        self.outer = code.outer
        self.code_length = code.length
        self.encrypt_blocks = aes.encrypt_blocks
        self.decrypt_blocks = aes.decrypt_blocks
        self.head = head
        """Format byte to session id of an outbound packet."""


def keyed_digest(authentication: Authentication, key: bytes, data: bytes) -> bytes:
    """The HMAC of an authentication algorithm; empty for "none"."""
    if authentication is Authentication.NONE:
        return b""
    return hmac.digest(key, data, DIGESTS[authentication])


def is_equal(one: bytes, other: bytes) -> bool:
    """Compare codes in a time that does not depend on where they differ."""
    return hmac.compare_digest(one, other)
