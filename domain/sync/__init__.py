"""The protocol between edge and cloud, without sockets, clock or database (sync §§2-4)."""
