"""Devices: one folder a kind, one file a make, a simulated twin in each."""
