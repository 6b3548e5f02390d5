"""The test kit for device drivers (docs/write-a-device.md).

`DriverCase` describes a log with its true samples, `check_driver` runs every check on it, and
`surviving_mutations` shows whether the case would notice a driver that is wrong. `SimulatedSession`
makes a log from a model of the peripheral.
"""

from twitchsense.testing.driver_case import DriverCase, ExpectedStream
from twitchsense.testing.driver_checks import CHECKS, CheckError, check_driver
from twitchsense.testing.driver_mutations import (
    MUTATIONS,
    mutation_outcomes,
    surviving_mutations,
)
from twitchsense.testing.hostile_values import push_hostile_values
from twitchsense.testing.simulated_session import Peripheral, SimulatedSession

__all__ = [
    "CHECKS",
    "MUTATIONS",
    "CheckError",
    "DriverCase",
    "ExpectedStream",
    "Peripheral",
    "SimulatedSession",
    "check_driver",
    "mutation_outcomes",
    "push_hostile_values",
    "surviving_mutations",
]
