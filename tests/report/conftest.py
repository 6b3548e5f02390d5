"""Pictures of a test are closed with it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
