"""twitchsense v1 as a driver like others."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.peers.twitchsense_v1 import WearableV1
from firmware_sim.wearable.encoder import ACC, EMG
from tests.devices.logs import v1_case
from twitchsense.devices.contract import (
    Advertised,
    BatteryLevel,
    ButtonPress,
    Direction,
    Message,
    PacketError,
)
from twitchsense.devices.v1 import v1_control
from twitchsense.devices.v1.v1_driver import V1Driver
from twitchsense.devices.v1.v1_frames import CONTROL_UUID, DATA_UUID, INFO_UUID, SERVICE_UUID
from twitchsense.testing import (
    SimulatedSession,
    check_driver,
    surviving_mutations,
)
from twitchsense.testing.driver_case import decode_case


def test_the_kit_passes_with_loss_resent_frames_and_an_outage():
    check_driver(V1Driver(), v1_case())


def test_the_kit_passes_with_fragments():
    check_driver(V1Driver(), v1_case(mtu=100, loss=0.0))


@pytest.mark.slow
def test_the_kit_notices_every_wrong_driver():
    assert surviving_mutations(V1Driver(), v1_case()) == []


def test_resent_frames_are_marked():
    packets = decode_case(V1Driver(), v1_case().log).packets
    assert 0 < sum(p.resent for p in packets) <= 81


def test_frames_before_the_description_are_refused():
    log = [m for m in v1_case().log if m.characteristic != INFO_UUID]
    decoder = V1Driver().make_decoder()
    frame = next(m for m in log if m.characteristic == DATA_UUID)
    with pytest.raises(PacketError, match="info"):
        decoder.push(frame)
    assert decoder.streams == ()


def test_button_and_battery():
    wearable = WearableV1()
    session = SimulatedSession(V1Driver(), wearable)
    session.open()
    session.run(1)
    wearable.firmware.press_button()
    session.run(0.1)
    session.poll()
    decoder = V1Driver().make_decoder()
    decoded = [item for m in session.log for item in decoder.push(m)]
    (press,) = [d for d in decoded if isinstance(d, ButtonPress)]
    assert press.stream == "emg"
    assert press.position == pytest.approx(1000 * session.now_s, abs=200)
    assert BatteryLevel(90, session.log[-1].arrival_ns) in decoded


def test_a_reboot_restarts_the_counter():
    wearable = WearableV1()
    session = SimulatedSession(V1Driver(), wearable)
    session.open()
    session.run(5)
    wearable.reboot(session.now_s)
    session.open()
    session.run(5)
    decoded = decode_case(V1Driver(), tuple(session.log))
    restarted = [p.stream for p in decoded.packets if p.restarted]
    assert sorted(restarted) == ["acc", "emg"]
    assert decoded.loss["emg"].exact == 0
    assert 0 < decoded.loss["emg"].ambiguous < 500


def test_a_later_connection_to_a_wearable_that_runs_takes_it_over():
    wearable = WearableV1()
    start = v1_control.encode_start(1, 99, take_over=False)
    wearable.write(CONTROL_UUID, start, 0.0)
    session = SimulatedSession(V1Driver(), wearable)
    session.open()
    session.run(1)
    assert wearable.firmware.session == 1


def test_recognition():
    assert V1Driver().recognize(Advertised("ts-0001", frozenset({SERVICE_UUID}))) == 1
    assert V1Driver().recognize(Advertised("ts-0001")) == 0


def test_written_values_are_no_answers():
    message = Message(CONTROL_UUID, Direction.WRITE, b"\x06\x01", 0)
    assert V1Driver().make_decoder().push(message) == []


def test_the_simulated_wearable_lies_still():
    wearable, index = WearableV1(), np.arange(2000)
    assert wearable.samples(EMG, index).std(axis=0) == pytest.approx([3, 3], rel=0.1)
    acc = wearable.samples(ACC, index)
    assert acc.std(axis=0) == pytest.approx([0.003] * 3, rel=0.1)
    assert np.linalg.norm(acc.mean(axis=0)) == pytest.approx(1, abs=0.02)
