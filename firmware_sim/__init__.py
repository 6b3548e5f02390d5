"""The simulated wearable: physiology, sensor and ground truth.

It makes captures (CSV) whose true events are known, in physical units, before
the analogue-to-digital converter.  It shares no code with the analysis package,
so that both cannot be wrong in the same way.
"""

__all__: list[str] = []
