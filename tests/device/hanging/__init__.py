"""Drivers that hang, for a worker to be given up with."""
