"""Boards and voices that talk to the driver."""
