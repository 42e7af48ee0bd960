"""The networks, one file a network (torch)."""
