"""Damaged and random input for decoders, readers, kernels and commands."""
