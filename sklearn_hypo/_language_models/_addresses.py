"""Addresses of servers: which are the same one, and which are on this machine."""

import ipaddress
import socket
from urllib.parse import urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}

# Names of one and the same address, unless somebody listens on only one of the two
# protocols.
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def normalize_address(url):
    """Write an address so that two spellings of one server are equal.

    Case of scheme and host, the port that is meant without one, slashes at the end,
    and the name of this machine make no difference.

    Examples
    --------
    >>> from sklearn_hypo._language_models._addresses import normalize_address
    >>> normalize_address("HTTP://[::1]:80/v1/") == normalize_address(
    ...     "http://localhost/v1"
    ... )
    True
    """
    if not url:
        return ""
    parts = urlsplit(url)
    host = (parts.hostname or "").removesuffix(".")
    if host in _THIS_MACHINE:
        host = "localhost"
    elif ":" in host:
        host = f"[{host}]"
    port = parts.port
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def is_loopback(url):
    """Whether what is sent to an address does not leave this machine."""
    host = (urlsplit(url).hostname or "").removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _read_ip(host)
    if address is None:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    # What listens on all addresses is often called by that: 0.0.0.0.
    return address.is_loopback or address.is_unspecified


def is_local_address(url):
    """Whether an address is this machine, or in a private network.

    True for names without a dot, those in ".local", ".lan" and ".internal", and for
    loopback, private and link-local addresses. No name is looked up.

    Examples
    --------
    >>> from sklearn_hypo._language_models._addresses import is_local_address
    >>> urls = ["http://localhost:11434/v1", "http://10.0.0.7/v1", "http://gpu1:8000"]
    >>> [is_local_address(url) for url in (*urls, "https://api.example.com/v1", "")]
    [True, True, True, False, False]
    """
    if not url or is_loopback(url):
        return bool(url)
    host = (urlsplit(url).hostname or "").removesuffix(".")
    address = _read_ip(host)
    if address is None:
        return "." not in host or host.endswith((".local", ".lan", ".internal"))
    return address.is_private or address.is_link_local


def _read_ip(host):
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:  # such as 127.1, which the system understands as well
        return ipaddress.ip_address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def bypass_proxies(url):
    """Return `mounts` for a client of httpx that keep a local server off all proxies.

    Empty for other servers: there the environment decides (HTTP_PROXY, NO_PROXY).
    """
    if not is_loopback(url):
        return {}
    host = urlsplit(url).hostname
    return {f"all://[{host}]" if ":" in host else f"all://{host}": None}
