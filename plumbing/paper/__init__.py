"""Slips on paper: the layouts that are shipped, printer bytes, and pictures of what these print. No devices here."""
