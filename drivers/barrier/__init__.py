"""Boom gates, one file a way to pulse them."""
