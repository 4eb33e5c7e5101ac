"""Plate cameras, one file a make."""
