"""The command line and the demo: the only package that sees both daemons."""
