"""Facts told to other programs as they happen: signed, again until they arrive, and never twice the same id."""
