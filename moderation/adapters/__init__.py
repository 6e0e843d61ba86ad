"""Frameworks and brokers that the hook is adapted to, one a file."""
