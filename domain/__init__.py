"""The trade's rules and values, shared by edge and cloud. No I/O, no clock, standard library only."""
