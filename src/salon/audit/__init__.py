"""Probes: questions put to a model by the hundred, measured, tested against chance, written down with the images."""
