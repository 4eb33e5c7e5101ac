"""The character network: its shape, its samples, its training, and how sure it may be."""
