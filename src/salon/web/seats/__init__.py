"""Every limited thing: places at the meet & greet, workshop seats, laptops, station slots."""
