"""Machines with own addresses: network namespaces of this machine, joined by a bridge. Needs root and `ip`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """A bridge whose own address is that of this machine, and hosts that are only reached through it."""

    name: str
    subnet: str

    @property
    def own_address(self) -> str:
        """This machine's address on the bridge."""
        return f"{self.subnet}.1"

    def address(self, host: int) -> str:
        """A host's address."""
        return f"{self.subnet}.{host + 2}"

    def on(self, host: int) -> list[str]:
        """What to put before a command to run it on a host."""
        return ["ip", "netns", "exec", f"{self.name}{host}"]

    def cut(self, host: int) -> None:
        """Pull a host's cable: packets are lost without a word, and connections stay as they are."""
        _ip("link", "set", f"{self.name}v{host}", "down")

    def mend(self, host: int) -> None:
        """Plug it in again."""
        _ip("link", "set", f"{self.name}v{host}", "up")


def available() -> bool:
    """Whether namespaces can be made here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"anfp{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        _ip("netns", "del", name)
    return made


@contextmanager
def network(hosts: int) -> Iterator[Network]:
    """A network of so many hosts; nothing is left of it afterwards."""
    number = os.getpid() % 250
    made = Network(f"anf{number}", f"10.213.{number}")
    bridge = f"{made.name}br"
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{made.own_address}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for host in range(hosts):
            space, outside, inside = f"{made.name}{host}", f"{made.name}v{host}", f"{made.name}w{host}"
            _ip("netns", "add", space)
            _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", space)
            _ip("link", "set", outside, "master", bridge, "up")
            _ip("-n", space, "addr", "add", f"{made.address(host)}/24", "dev", inside)
            _ip("-n", space, "link", "set", inside, "up")
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "route", "add", "default", "via", made.own_address)
        yield made
    finally:
        for host in range(hosts):
            subprocess.run(["ip", "netns", "del", f"{made.name}{host}"], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", bridge], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
