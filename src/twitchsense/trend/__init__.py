"""The weeks: nights side by side, and a diary beside them."""
