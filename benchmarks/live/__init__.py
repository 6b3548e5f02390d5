"""Delay, memory and completeness of the live view."""
