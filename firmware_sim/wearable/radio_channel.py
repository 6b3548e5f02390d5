"""Radio channel between virtual Bluetooth controllers: timing, errors, range, time-outs.

Bumble's own link delivers every packet at once. Here packets wait for connection events, fail
and are retransmitted, controllers have few buffers, and each side ends a connection on which
it received nothing for the supervision timeout.

Not modelled: fragments of a packet over several events, negotiation of PHY and data length.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, cast

from bumble import hci, link, ll
from bumble.controller import Connection, Controller

log = logging.getLogger(__name__)

#: Maximum number of packets in a connection event.
_PACKETS_PER_EVENT: Final = 6
#: Time (s) from the start of a connection event until the host has its packets.
_EVENT_DURATION_S: Final = 0.0015
#: HCI error code: connection timeout.
_CONNECTION_TIMEOUT: Final = 0x08
#: HCI error code: connection failed to be established.
_NOT_ESTABLISHED: Final = 0x3E
#: Number of packets that a controller buffers.
N_BUFFERS: Final = 8


@dataclass
class ChannelConditions:
    """State of the radio channel of one wearable.

    Attributes
    ----------
    error_rate : float
        Share of packets that fail.
    in_range : bool
        Whether packets are received at all.
    """

    error_rate: float = 0.0
    in_range: bool = True


@dataclass(frozen=True, slots=True)
class _AclPacket:
    handle: int
    start: bool
    data: bytes


class RadioController(Controller):
    """A virtual controller whose packets are subject to a `RadioChannel`."""

    acl_data_packet_length = 251
    le_acl_data_packet_length = 251
    total_num_le_acl_data_packets = N_BUFFERS
    # Bumble's extended advertising and privacy do not work with every host
    le_features = Controller.le_features & ~(
        hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    )

    def __init__(self, name: str, channel: RadioChannel, address: str) -> None:
        super().__init__(name, link=channel, public_address=address)
        self.channel = channel
        self.random_address = hci.Address(address)

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Process a packet of the host, without formatting it for the log."""
        if isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        else:
            super().on_hci_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Send a packet to the host, without formatting it for the log."""
        if self.host:
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    def on_hci_reset_command(self, command: hci.HCI_Reset_Command) -> Any:
        """Clear the state of the previous host, which the base class does not.

        The peers of its connections are not notified: their supervision timeout expires.
        """
        self.le_scan_enable = False
        self.pending_le_connection = None
        self.le_legacy_advertiser.stop()
        self.le_connections.clear()
        return super().on_hci_reset_command(command)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Queue a packet of the host for the next connection event."""
        connection = self.find_connection_by_handle(packet.connection_handle)
        radio_connection = connection and self.channel.connection_below(self, connection)
        if not radio_connection:
            return  # the connection has ended
        first = packet.pb_flag != 1
        radio_connection.push(self, _AclPacket(packet.connection_handle, first, packet.data))

    def on_hci_le_create_connection_cancel_command(
        self, command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> Any:
        """Cancel connecting and report it, which the base class does not."""
        pending = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return super().on_hci_le_create_connection_cancel_command(command)

    def on_hci_le_connection_update_command(
        self, command: hci.HCI_LE_Connection_Update_Command
    ) -> None:
        """Apply new connection parameters."""
        super().on_hci_le_connection_update_command(command)
        connection = self.find_le_connection_by_handle(command.connection_handle)
        radio_connection = connection and self.channel.connection_below(self, connection)
        if radio_connection:
            radio_connection.interval = command.connection_interval_max * 1.25e-3
            radio_connection.timeout = command.supervision_timeout * 10e-3

    def report_completed(self, handle: int) -> None:
        """Report to the host that a buffer is free again."""
        self.send_hci_packet(
            hci.HCI_Number_Of_Completed_Packets_Event(
                connection_handles=[handle], num_completed_packets=[1]
            )
        )

    def drop(self, connection: Connection, reason: int) -> None:
        """End a connection on this side only."""
        if self.le_connections.get(connection.peer_address) is connection:
            self.on_le_disconnected(connection, reason)


class RadioConnection:
    """One connection: two queues, a connection interval and a supervision timeout."""

    def __init__(
        self, channel: RadioChannel, central: RadioController, peripheral: RadioController, pdu: Any
    ) -> None:
        self.channel = channel
        self.central = central
        self.peripheral = peripheral
        self.interval = pdu.interval * 1.25e-3
        self.timeout = pdu.timeout * 10e-3
        self.alive = True
        # address of each side as the other side's controller knows it
        self._address_of = {central: pdu.initiator_address, peripheral: pdu.advertiser_address}
        self._queues: dict[RadioController, deque[_AclPacket]] = {
            central: deque(),
            peripheral: deque(),
        }
        #: Packets on the air, by the event that sent them.
        self._in_flight: deque[list[tuple[RadioController, _AclPacket]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._anchor = self._loop.time()
        self._last_packet_s = self._anchor
        self._timer: asyncio.TimerHandle | None = None
        self._watch = self._loop.call_later(self.timeout, self._supervise)
        self.sent = self.retransmitted = self.lost = 0

    def connection_of(self, side: RadioController) -> Connection | None:
        """Return the connection object of one side, or None."""
        if side not in self._address_of:
            return None
        return side.le_connections.get(self._address_of[self._other(side)])

    def push(self, sender: RadioController, packet: _AclPacket) -> None:
        """Queue a packet for the next connection event."""
        self._queues[sender].append(packet)
        self._schedule()

    def end(self) -> None:
        """End the connection; packets in the controllers are lost."""
        self.alive = False
        self.lost += sum(map(len, self._queues.values()))
        for queue in self._queues.values():
            queue.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._watch.cancel()

    def resume(self) -> None:
        """Continue after the conditions have changed."""
        if self.conditions.in_range:
            self._last_packet_s = self._loop.time()
            self._schedule()

    @property
    def conditions(self) -> ChannelConditions:
        """Conditions of this connection."""
        return self.channel.conditions(self.peripheral)

    def _other(self, side: RadioController) -> RadioController:
        return self.peripheral if side is self.central else self.central

    def _schedule(self) -> None:
        if self._timer is None and self.alive and any(self._queues.values()):
            since = self._loop.time() - self._anchor
            events = math.floor(since / self.interval) + 1
            self._timer = self._loop.call_at(self._anchor + events * self.interval, self._event)

    def _event(self) -> None:
        self._timer = None
        conditions = self.conditions
        both = all(self.connection_of(s) is not None for s in (self.central, self.peripheral))
        if not conditions.in_range or not both:
            return
        delivered: list[tuple[RadioController, _AclPacket]] = []
        for _ in range(_PACKETS_PER_EVENT):
            pair = [(s, q) for s, q in self._queues.items() if q]
            if not pair:
                break
            for sender, queue in pair:
                if self.channel.rng.random() < conditions.error_rate:
                    self.retransmitted += 1
                    break
                self._last_packet_s = self._loop.time()
                delivered.append((sender, queue.popleft()))
            else:
                continue
            break  # a failed packet closes the event
        if delivered:
            # timers of equal time fire in any order, but a connection keeps the order of packets
            self._in_flight.append(delivered)
            self._loop.call_later(_EVENT_DURATION_S, self._deliver)
        self._schedule()

    def _deliver(self) -> None:
        for sender, packet in self._in_flight.popleft():
            self._deliver_packet(sender, packet)

    def _deliver_packet(self, sender: RadioController, packet: _AclPacket) -> None:
        receiver = self._other(sender)
        there = self.connection_of(receiver)
        if not self.alive or there is None:
            return
        self.sent += 1
        if self.connection_of(sender) is not None:
            sender.report_completed(packet.handle)
        flag = 2 if packet.start else 1
        receiver.send_hci_packet(
            hci.HCI_AclDataPacket(there.handle, flag, 0, len(packet.data), packet.data)
        )

    def _supervise(self) -> None:
        now = self._loop.time()
        both = all(self.connection_of(s) is not None for s in (self.central, self.peripheral))
        if self.conditions.in_range and both:
            self._last_packet_s = now  # empty packets keep an idle connection alive
        if now - self._last_packet_s < self.timeout - 1e-6:
            self._watch = self._loop.call_at(self._last_packet_s + self.timeout, self._supervise)
            return
        self.channel.break_connection(self, _CONNECTION_TIMEOUT)


class RadioChannel(link.LocalLink):
    """The radio channel that all virtual controllers share."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rng = random.Random(seed)
        self.connections: list[RadioConnection] = []
        self._conditions: dict[Controller, ChannelConditions] = {}

    def conditions(self, controller: Controller) -> ChannelConditions:
        """Return the conditions at a wearable's controller."""
        return self._conditions.setdefault(controller, ChannelConditions())

    def set_conditions(self, controller: Controller, **changes: Any) -> None:
        """Change the conditions at a wearable's controller."""
        conditions = self.conditions(controller)
        for name, value in changes.items():
            setattr(conditions, name, value)
        for radio_connection in self.connections:
            if radio_connection.peripheral is controller:
                radio_connection.resume()

    def connection_below(
        self, controller: RadioController, connection: Connection
    ) -> RadioConnection | None:
        """Return the radio_connection under a controller's connection."""
        for radio_connection in self.connections:
            if radio_connection.alive and radio_connection.connection_of(controller) is connection:
                return radio_connection
        return None

    def break_connection(self, radio_connection: RadioConnection, reason: int) -> None:
        """End a connection on both sides."""
        if radio_connection in self.connections:
            sides = [
                (s, radio_connection.connection_of(s))
                for s in (radio_connection.central, radio_connection.peripheral)
            ]
            radio_connection.end()
            self.connections.remove(radio_connection)
            for side, connection in sides:
                if connection is not None:
                    side.drop(connection, reason)

    def send_advertising_pdu(self, sender: Controller, packet: ll.AdvertisingPdu) -> None:
        """Deliver a packet of the advertising channels, or lose it."""
        if isinstance(packet, ll.ConnectInd):
            self._connect(cast("RadioController", sender), packet)
            return
        conditions = self.conditions(sender)
        if conditions.in_range and self.rng.random() >= conditions.error_rate:
            super().send_advertising_pdu(sender, packet)

    def _connect(self, central: RadioController, packet: Any) -> None:
        for controller in cast("set[RadioController]", self.controllers):
            advertiser = controller.le_legacy_advertiser
            if advertiser.enabled and advertiser.address == packet.advertiser_address:
                radio_connection = RadioConnection(self, central, controller, packet)
                self.connections.append(radio_connection)
                if self.conditions(controller).in_range:
                    controller.on_ll_advertising_pdu(packet)
                return
        loop = asyncio.get_running_loop()
        loop.call_later(0.2, self._fail, central, packet.advertiser_address)

    def _fail(self, central: RadioController, address: hci.Address) -> None:
        connection = central.le_connections.get(address)
        if connection is not None:
            central.drop(connection, _NOT_ESTABLISHED)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Deliver a control packet with the next event; a disconnect ends the radio_connection."""
        for radio_connection in [h for h in self.connections if h.alive]:
            for side in (radio_connection.central, radio_connection.peripheral):
                there = radio_connection.connection_of(side)
                if there is None or there.peer_address != sender_address:
                    continue
                if there.self_address != receiver_address:
                    continue
                loop = asyncio.get_running_loop()
                if radio_connection.conditions.in_range:
                    loop.call_later(radio_connection.interval, self._control, side, there, packet)
                elif isinstance(packet, ll.TerminateInd):
                    loop.call_later(radio_connection.timeout, side.drop, there, _CONNECTION_TIMEOUT)
                if isinstance(packet, ll.TerminateInd):
                    radio_connection.end()
                    loop.call_later(
                        radio_connection.timeout + radio_connection.interval,
                        self._forget,
                        radio_connection,
                    )
                return

    def _control(self, side: RadioController, there: Connection, packet: ll.ControlPdu) -> None:
        if side.le_connections.get(there.peer_address) is there:
            side.on_ll_control_pdu(there.peer_address, packet)

    def _forget(self, radio_connection: RadioConnection) -> None:
        if radio_connection in self.connections:
            self.connections.remove(radio_connection)
