"""Channels and their legs."""

from __future__ import annotations

from twitchsense.model.channels import Channel, leg_by_channel

EMG1 = Channel("emg1", "emg", "uV", 1000.0, ("emg1_uv",))
EMG2 = Channel("emg2", "emg", "uV", 1000.0, ("emg2_uv",))


def test_without_a_named_leg_all_channels_are_on_an_unnamed_one():
    assert leg_by_channel((EMG1, EMG2), {}) == {"emg1": "", "emg2": ""}


def test_unnamed_channels_are_on_the_only_named_leg():
    assert leg_by_channel((EMG1, EMG2), {"emg2": "right"}) == {"emg1": "right", "emg2": "right"}
