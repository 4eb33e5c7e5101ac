"""The cloud's end of the line to the edges: their logs in, channels and commands out."""
