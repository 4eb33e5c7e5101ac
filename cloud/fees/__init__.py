"""Parking fees paid by phone: quotes of the lots shown and charged, the lots told, exit passes given."""
