"""Bumble hosts without a log entry per packet, whose commands may be cancelled.

The speed of a night in virtual time is limited by the work per packet.
"""

from __future__ import annotations

import logging
from typing import Any

from bumble import hci
from bumble.device import Device
from bumble.host import Host


class FastHost(Host):
    """A host that handles data packets without formatting them for the log."""

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Send a packet to the controller."""
        if self.hci_sink:
            self.hci_sink.on_packet(bytes(packet))

    def on_command_processed(self, event: Any) -> None:
        """Take the answer to a command, unless its caller was cancelled before it came.

        Bumble sets the result of the cancelled future, which is an error.
        """
        if self.pending_response is None or not self.pending_response.done():
            super().on_command_processed(event)

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Process a packet from the controller."""
        if isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        elif isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)
        else:
            super().on_hci_packet(packet)


def make_device(name: str, address: str, source: Any, sink: Any) -> Device:
    """Return a Bumble device on the controller behind `source` and `sink`."""
    root = logging.getLogger()
    if not root.handlers and logging.lastResort is not None:
        # Bumble calls `logging.debug`, which would configure the logger of the whole program
        root.addHandler(logging.lastResort)
    host = FastHost(controller_source=source, controller_sink=sink)
    return Device(name=name, address=hci.Address(address), host=host)
