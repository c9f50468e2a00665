"""Refuse every connection that leaves this machine; Python imports this module by its name at start-up."""

import socket

_connect, _connect_ex, _sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
_getaddrinfo = socket.getaddrinfo


class Refused(OSError):
    """A test tried to reach another machine."""


def _check(host) -> None:
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (
        None,
        "",
        "localhost",
        "::1",
        "0.0.0.0",
        "::",
        socket.gethostname(),
    ) and not host.startswith("127."):
        raise Refused(f"tests open no connection, but one to {host} was tried")


def _guarded(call):
    def guarded(self, *arguments):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(arguments[-1][0])
        return call(self, *arguments)

    return guarded


def _looked_up(host, *arguments, **settings):
    _check(host)
    return _getaddrinfo(host, *arguments, **settings)


socket.socket.connect = _guarded(_connect)
socket.socket.connect_ex = _guarded(_connect_ex)
socket.socket.sendto = _guarded(_sendto)
socket.getaddrinfo = _looked_up
