"""The vectorised stages: filters, blocks, noise floor, runs. All causal, all chunk-invariant."""
