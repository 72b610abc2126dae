"""Chooses free ports on the loopback interface."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one Asterisk on 127.0.0.1."""

    sip: int
    """UDP."""
    agent: int
    """UDP; where the world's agent answers."""
    http: int
    ami: int


def choose_ports() -> Ports:
    """Return ports that were free a moment ago."""
    sip, agent = free_ports(socket.SOCK_DGRAM, 2)
    http, ami = free_ports(socket.SOCK_STREAM, 2)
    return Ports(sip=sip, agent=agent, http=http, ami=ami)


def free_ports(kind: socket.SocketKind, count: int) -> Sequence[int]:
    """Return `count` different ports that nothing listens on; all are held until the last is found."""
    with ExitStack() as held:
        found = []
        for _ in range(count):
            one = held.enter_context(socket.socket(socket.AF_INET, kind))
            one.bind(("127.0.0.1", 0))
            found.append(int(one.getsockname()[1]))
        return found
