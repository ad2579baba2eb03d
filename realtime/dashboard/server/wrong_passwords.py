"""Wrong passwords: whoever gives one waits, and nobody else does."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict

PAUSE = 1.0  # seconds after a wrong password
MOST = 4096  # clients that are remembered
NETWORK = 64  # bits: so much of an IPv6 address is a network, whose owner has all the addresses in it


class Tries:
    """By the address that tries. The oldest are forgotten first: a password of eight characters bears a few more tries."""

    def __init__(self):
        self._again: OrderedDict[str, float] = OrderedDict()  # client → when it may try again, monotonic seconds

    def may(self, address: str) -> bool:
        return time.monotonic() >= self._again.get(_client(address), 0.0)

    def failed(self, address: str) -> None:
        client = _client(address)
        self._again[client] = time.monotonic() + PAUSE
        self._again.move_to_end(client)
        while len(self._again) > MOST:
            self._again.popitem(last=False)


def _client(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, NETWORK), strict=False))
