"""Recorded nights: samples, times, loss, memory, kills and damage."""
