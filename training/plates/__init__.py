"""Drawn plates of every kind, as worn and as badly photographed as the real ones."""
