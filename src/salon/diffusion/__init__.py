"""Noise schedules, samplers, guidance: pure functions on arrays."""
