"""Resolve names to addresses of the open internet alone, by IANA's registries of special-purpose addresses."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from scrapy.resolver import CachingThreadedResolver, dnscache
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

from crawler.responses import Failed, Refused

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that is routed in IPv6. Outside lie loopback, local and multicast addresses, and most that hold one of IPv4."""

# Also blocks that are reachable from everywhere, where no web server lies: relays, sinkholes of DNS.
_SPECIAL = [
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared with customers by a provider
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112: DNS of private addresses
        "192.52.193.0/24",  # multicast tunnels (AMT)
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks of devices
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID, AMT, AS112
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: leads to any address of IPv4
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # an experiment that is over
        "3fff::/20",  # documentation
    )
]


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of the open internet, where a web server may be.

    >>> from ipaddress import ip_address
    >>> [is_public(ip_address(a)) for a in ("93.184.215.14", "10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False]
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # the system connects to this one
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in block for block in _SPECIAL)


class PublicOnlyResolver(CachingThreadedResolver):
    """Resolve names, and never to an address that is not public.

    Twisted connects to the very answer (also where the name is an address already), so neither a private
    name server nor one that changes its answer leads a crawl into the network that it runs in.
    """

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: N802 - Twisted's name
        """Resolve a name to its IPv4 address; fail with DNSLookupError if it is not public."""
        return super().getHostByName(name, timeout).addCallback(_public_only, name)


def _public_only(address: str, name: str) -> str:
    if not is_public(ip_address(address)):
        raise DNSLookupError(_not_public(name, address))
    return address


def unresolved(host: str) -> Refused | Failed:
    """Return why a host was not connected to, from the address that the resolver withheld."""
    try:
        address = ip_address(dnscache.get(host, host))
    except ValueError:
        return Failed(f"no address found for {host}")
    return Refused("address", _not_public(host, address))


def _not_public(name: str, address: object) -> str:
    return f"{name} is at {address}, which is not a public address"
