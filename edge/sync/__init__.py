"""Facts up, rules down: the edge's end of the line to the cloud."""
