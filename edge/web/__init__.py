"""What the edge serves: cameras, attendants and merchants, each on a listener that does not reach the others."""
