"""What a search gives, and where it may look."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network

MOST_ADDRESSES = 256  # a /24: more is a mistake, or somebody else's network
PRIVATE = tuple(ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"))


@dataclass(frozen=True, slots=True)
class Found:
    """One device: *where* it is, what it seems to be, and what to write into the lot file."""

    where: str
    what: str
    hint: str = ""


def network_of(text: str) -> IPv4Network:
    """A private network of at most 256 addresses. Raises ValueError with what is taken."""
    try:
        network = IPv4Network(text, strict=False)
    except ValueError as exc:
        raise ValueError(f"{text!r} is not a network such as 192.168.1.0/24") from exc
    if not is_private(network.network_address) or not is_private(network.broadcast_address):
        raise ValueError(f"{network} is not a private network; nothing outside the lot's own is searched")
    if network.num_addresses > MOST_ADDRESSES:
        raise ValueError(f"{network} has {network.num_addresses} addresses; at most {MOST_ADDRESSES} at a time")
    return network


def is_private(address: IPv4Address) -> bool:
    """Whether an address belongs to a network of the lot's own; loopback, for simulated devices, counts too."""
    return address.is_loopback or any(address in network for network in PRIVATE)
