"""Noise schedules, samplers, guidance: pure functions on arrays (NumPy or torch alike, neither favoured).

Everything here speaks of a noisy sample as `alpha * x0 + sigma * noise`. `sigma` is a vector [B]: each sample of a
batch stands at its own position. A family of schedules is known by its `alpha(sigma)`.
"""
