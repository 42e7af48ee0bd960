"""Families and their stages, batching, runner, service, client, on the torch-free runtime."""
