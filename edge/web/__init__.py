"""Faces of the lot, each a listener of its own: booth, counter, devices, and the local socket for the command line."""
