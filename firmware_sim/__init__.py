"""The simulated wearable: physiology, sensor and ground truth.

It makes captures (CSV) whose true events are known in physical units, before the
analogue-to-digital converter. It shares no code with twitchsense, so that an error in one
cannot hide the same error in the other.
"""

__all__: list[str] = []
