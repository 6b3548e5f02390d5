"""Bumble hosts that do not format every packet for a log nobody reads.

A night in virtual time is bound by the work for each packet.
"""

from __future__ import annotations

from typing import Any

from bumble import hci
from bumble.device import Device
from bumble.host import Host


class FastHost(Host):
    """A host that handles data packets straight away."""

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Send a packet to the controller."""
        if self.hci_sink:
            self.hci_sink.on_packet(bytes(packet))

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Take a packet of the controller."""
        if isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        elif isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)
        else:
            super().on_hci_packet(packet)


def make_device(name: str, address: str, source: Any, sink: Any) -> Device:
    """Return a Bumble device on a controller."""
    host = FastHost(controller_source=source, controller_sink=sink)
    return Device(name=name, address=hci.Address(address), host=host)
