"""Rates per valid hour and clinical indices, with intervals."""
