"""Slip printers: bytes on paper."""
