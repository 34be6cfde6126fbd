"""The asset tag: a field of the server's inventory, which DCMI reads and writes as a string.  [DCMI 6.4.1]"""

from __future__ import annotations

from baseboard.bmc.fru import FruStore
from baseboard.errors import CommandError, DecodeError, LocalProtocolError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.dcmi import LONGEST_ASSET_TAG, TagEncoding
from baseboard.ipmi.records.fru import ENGLISH, Inventory, ProductArea, decode_inventory, encode_inventory

SERVER = 0
"""FRU device id."""
_PRODUCT = 4
"""Byte of the common header with the product area's offset, in units of 8 bytes.  [FRU 8]"""
_FIRST_FIELD, _FIELDS_BEFORE = 3, 5
"""Of the product area.  [FRU 12]"""
_END = 0xC1
_ENCODINGS = {0: TagEncoding.BINARY, 1: TagEncoding.BCD_PLUS, 2: TagEncoding.SIX_BIT_ASCII}


def read_tag(store: FruStore) -> tuple[bytes, int]:
    """The field's bytes, and the completion code that tells their encoding; 00h is 8-bit English."""
    image = store.get(SERVER).data
    area = image[_PRODUCT] * 8
    position = area + _FIRST_FIELD
    try:
        if not area:
            return b"", CompletionCode.OK
        for _ in range(_FIELDS_BEFORE):
            if image[position] == _END:
                return b"", CompletionCode.OK
            position += 1 + (image[position] & 0x3F)
        head = image[position]
    except IndexError:
        return b"", CompletionCode.OK
    if head == _END or not head & 0x3F:
        return b"", CompletionCode.OK
    data = bytes(image[position + 1 : position + 1 + (head & 0x3F)])
    code: int = _ENCODINGS.get(head >> 6, CompletionCode.OK)
    if code == CompletionCode.OK and image[area + 2] not in (0, ENGLISH):
        code = TagEncoding.NOT_ENGLISH
    return data, code


def write_tag(store: FruStore, tag: bytes) -> None:
    """Put the tag into the inventory, which is written anew.  Raises CommandError."""
    if len(tag) > LONGEST_ASSET_TAG:
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"more than {LONGEST_ASSET_TAG} bytes")
    device = store.get(SERVER)
    try:
        inventory = decode_inventory(bytes(device.data))
    except DecodeError:
        inventory = Inventory()
    product = (inventory.product or ProductArea()).replace(asset_tag=tag.decode("latin-1"))
    try:
        image = encode_inventory(inventory.replace(product=product), len(device.data))
    except LocalProtocolError:
        raise CommandError(CompletionCode.OUT_OF_SPACE, "the inventory is full") from None
    store.write(SERVER, 0, image)
