"""Addresses that servers of ours listen at."""

import ipaddress
import socket

_BACKLOG = 128


def is_local(host):
    """Whether an address is reached from this machine alone.

    Example:
        >>> is_local("127.0.0.1"), is_local("localhost"), is_local("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host, port, error):
    """Open a socket that listens.

    Args:
        host: address of this machine.
        port: int; 0 takes a free one.
        error: class of the error that is raised.

    Returns:
        `socket.socket`.

    Raises:
        DensecolorError: of the class `error`: the address is taken, or not this machine's.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise error(f"Cannot listen at {host}, port {port}: {reason}. Choose another --host or --port.") from failure


def address_of(host, listener):
    """The address to type into a browser.

    Args:
        host: as given to `listen`.
        listener: what that returned.

    Returns:
        str, such as "http://127.0.0.1:8000".
    """
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
