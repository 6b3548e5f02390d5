"""Clients that other people wrote, unmodified, read the simulated peripherals.

Each is installed without its dependencies into a folder of its own: several pin old versions of
bleak, and run with the present one nevertheless.
"""
