"""Addresses that people type: what in them is secret, whether they can be read, and which proxy stands in their way.

Passwords are masked by one function, for the screen, files and the log alike.
"""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks the second

from realtime.errors import SourceError

MASK = "***"
ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^\s\"'<>]*)")
HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^/?#:\[\]@]*)")
# "?password=…", "&pwd=…", "/user=me_password=…": cameras take them in many spellings
SECRET = re.compile(
    r"((?<![A-Za-z0-9])(?:[A-Za-z0-9.-]*(?:pas|pwd|token|secret|auth|key|sig|cred|session|sid|pin)[A-Za-z0-9.-]*|pw|p)=)[^&;#]+", re.IGNORECASE
)
AT_HOME = (".local", ".localhost", ".lan", ".home", ".internal", ".home.arpa")  # endings of names that no proxy knows


def without_password(text: str, user: bool = False) -> str:
    """The text with the passwords of all addresses in it masked: user and password before the host, and what is called a
    password, a token or a key behind it.

    Args:
        user: leave the user's name ("rtsp://me:***@host").
    """
    return ADDRESS.sub(lambda found: found[1] + _masked(found[2], user), text)


def check_address(url: str) -> None:
    """Whether an address can be read.

    Raises:
        SourceError: its password ends it too early: nobody could tell its host.
    """
    rest = url.partition("://")[2]
    end = _secret_end(rest)
    sign = re.search(r"[/?#]", rest[:end])
    if end and sign and "@" not in rest[: sign.start()]:
        raise SourceError(
            f"cannot read the address {without_password(url, user=True)}: its password holds '{sign[0]}', which ends an "
            f"address's first part: percent-encode it ('{sign[0]}' is written %{ord(sign[0]):02X})"
        )


def proxy_for(url: str) -> str | None:
    """The proxy through which FFmpeg asks for `url`, without its password; None where it asks directly.

    It never asks a proxy for what lies on this machine or in this network; `no_proxy` names what else is asked directly.
    """
    proxy, host = os.environ.get("http_proxy", ""), host_of(url)
    if not url.lower().startswith(("http://", "https://")) or not proxy.startswith("http://"):
        return None
    return None if _near(host) or proxy_bypass_environment(host, getproxies_environment()) else without_password(proxy)


def forget_socks() -> None:
    """Take SOCKS proxies out of this process's environment: nothing here can use one, and some libraries break on them."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        if os.environ[name].lower().startswith("socks"):
            del os.environ[name]


def host_of(url: str) -> str:
    """The host alone, lower case, without the brackets of IPv6."""
    rest = url.partition("://")[2]
    return HOST.match(rest[_secret_end(rest) :])[1].strip("[]").lower()


def _near(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return "." not in host or host.endswith(AT_HOME)
    return address.is_private or address.is_loopback or address.is_link_local


def _masked(rest: str, user: bool) -> str:
    end = _secret_end(rest)
    name = rest[:end].partition(":")[0].rstrip("@") if user else ""
    who = f"{name}:{MASK}@" if user and ":" in rest[:end] else f"{name}@" if name else ""
    return who + SECRET.sub(rf"\g<1>{MASK}", rest[end:])


def _secret_end(rest: str) -> int:
    """How many characters behind "://" are user and password, with the "@"; 0 for none. In doubt, what may be one."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest.partition("?")[0].rfind("@") + 1 or authority.rfind("@") + 1
    name, colon, port = authority.partition(":")
    a_port = not port or (port.isdigit() and ("." in name or name.lower() == "localhost"))
    if not colon or a_port or authority.startswith("["):
        return 0  # what follows is a path, which may hold an "@", too
    return rest.rfind("@") + 1
