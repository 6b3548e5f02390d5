"""The test kit itself: it fails on drivers that break the contract, and says why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_sim.peers.npg_lite import NpgLite
from tests.devices.builders import npg_case
from twitchsense.devices.contract import Advertised, PacketError
from twitchsense.devices.dialogue import Expect, Read, Subscribe
from twitchsense.devices.npg_lite import CONTROL_UUID, NpgLiteDecoder, NpgLiteDriver
from twitchsense.devices.registry import get_driver, installed_drivers, recognize
from twitchsense.errors import InputError
from twitchsense.testing import (
    CHECKS,
    MUTATIONS,
    CheckError,
    SimulatedSession,
    check_driver,
    mutation_outcomes,
    push_hostile_values,
    surviving_mutations,
)
from twitchsense.testing.hostile_values import HostileValueError
from twitchsense.testing.simulated_session import DialogueError


@pytest.fixture(scope="module")
def case():
    return npg_case(seconds=6)


class Fragile(NpgLiteDecoder):
    def push(self, message):
        if message.data == b"":
            raise IndexError("no first byte")
        return super().push(message)


class Remembering(NpgLiteDecoder):
    """Adds the samples of the packet before, as a decoder of differences without a start."""

    before = 0

    def push(self, message):
        packets = super().push(message)
        for i, packet in enumerate(packets):
            if hasattr(packet, "samples"):
                packets[i] = replace(packet, samples=packet.samples + self.before)
                self.before = int(packet.samples[-1, 0])
        return packets


class Lenient(NpgLiteDriver):
    def recognize(self, advertised):
        return 0.1


class Nameless(NpgLiteDriver):
    kind = "NPG Lite"


def driver_with(decoder):
    driver = NpgLiteDriver()
    driver.make_decoder = decoder
    return driver


@pytest.mark.parametrize(
    ("driver", "check"),
    [
        (driver_with(Fragile), "hostile"),
        (Lenient(), "recognition"),
        (Nameless(), "declaration"),
    ],
)
def test_a_driver_that_breaks_the_contract_fails_the_check_for_it(driver, check, case):
    with pytest.raises(CheckError) as caught:
        check_driver(driver, case)
    assert caught.value.check == check


def test_a_decoder_that_needs_the_packet_before_is_not_independent(case):
    driver = driver_with(Remembering)
    # with its own values expected, so that the loss of a packet alone is wrong
    decoded = CHECKS["independence"](driver, case, _decode(driver, case))
    assert "other samples" in decoded


def _decode(driver, case):
    from twitchsense.testing.driver_case import decode_case

    return decode_case(driver, case.log)


def test_a_weak_case_lets_mutations_survive(case):
    weak = replace(case, expected={"emg": replace(case.expected["emg"], times_s=None)})
    assert "restart" in surviving_mutations(NpgLiteDriver(), weak)
    assert "restart" not in surviving_mutations(NpgLiteDriver(), case)
    assert set(surviving_mutations(NpgLiteDriver(), weak)) < set(MUTATIONS)


def test_the_page_of_wrong_drivers_is_that_of_the_kit(case):
    """One column is computed; the others are those of the tests of each driver."""
    page = Path(__file__).parents[2] / "docs" / "broken-drivers.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    header = next(line for line in lines if line.startswith("| name"))
    kinds = {name.strip().replace(",", " ").split()[0] for name in header.split("|")[3:-1]}
    assert kinds == set(installed_drivers()) | {"lsl"}
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| `" in line]
    rows = [row for row in rows if row[0].strip("`") in MUTATIONS]
    assert len(rows) == len(MUTATIONS)
    assert not any("survives" in row for row in rows)
    column = [name.strip() for name in header.split("|")[1:-1]].index("npg")
    stated = {row[0].strip("`"): row[column] for row in rows}
    assert stated == mutation_outcomes(NpgLiteDriver(), case)


def test_hostile_values_are_counted_by_reason(case):
    outcomes = push_hostile_values(NpgLiteDriver(), case.log, 5000)
    assert outcomes.total() == 5000
    assert {"decoded", "length", "counter", "range"} <= set(outcomes)
    with pytest.raises(HostileValueError, match="IndexError"):
        push_hostile_values(driver_with(Fragile), case.log, 5000)


def test_a_session_reports_steps_that_the_peripheral_cannot_do():
    session = SimulatedSession(NpgLiteDriver(), NpgLite())

    def steps(*wanted):
        for step in wanted:
            value = yield step
            received.append(value)

    received = []
    session.execute(steps(Read("00002a19-0000-1000-8000-00805f9b34fb", optional=True)))
    session.execute(steps(Expect(CONTROL_UUID, timeout_s=1, optional=True)))
    assert received == [None, None]
    with pytest.raises(DialogueError, match="no characteristic"):
        session.execute(steps(Subscribe("00002a19-0000-1000-8000-00805f9b34fb")))
    with pytest.raises(DialogueError, match="no answer"):
        session.execute(steps(Expect(CONTROL_UUID, timeout_s=1)))


def test_the_registry_finds_the_drivers_of_the_project():
    drivers = installed_drivers()
    assert {"npg", "twitchsense"} <= set(drivers)
    assert all(kind == driver.kind for kind, driver in drivers.items())
    assert Counter(d.title for d in drivers.values()).most_common(1)[0][1] == 1
    assert get_driver("NPG").kind == "npg"
    drivers = installed_drivers()
    assert recognize(Advertised("NPG-Lite-6CH:00:00"), drivers).kind == "npg"
    assert recognize(Advertised("a lamp"), drivers) is None
    with pytest.raises(InputError, match="choose one of"):
        get_driver("lamp")


def test_the_reasons_of_a_refusal_are_in_its_message():
    assert str(PacketError("length", "3 bytes")) == "length: 3 bytes"
    assert str(PacketError("length")) == "length"
