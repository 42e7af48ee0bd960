"""The wall: screens that show what hangs, and go on when the house is away."""
