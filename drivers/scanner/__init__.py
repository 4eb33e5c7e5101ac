"""Readers of printed and shown codes."""
