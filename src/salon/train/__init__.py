"""One training loop, one recipe file a model, export to the runtime. Needs the extra `train` (torch)."""
