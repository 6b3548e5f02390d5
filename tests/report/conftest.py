"""A night for the tests of the page and its sentences; figures of a test are closed with it."""

from __future__ import annotations

import pytest

import twitchsense as ts
from tests.recordings import make_recording


@pytest.fixture(scope="session")
def night():
    """Return the analysed night of a recording of 40 minutes."""
    return ts.analyze(make_recording(40))


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
