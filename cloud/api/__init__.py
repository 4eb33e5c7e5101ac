"""The machine interface: one table of calls serves them, checks them and writes their document."""
