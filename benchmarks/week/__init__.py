"""A scripted week at a lot of eight lanes, on a virtual clock, with every car accounted for at the end."""
