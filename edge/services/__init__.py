"""What the lot does, one file a use case: plain functions that load, decide, write and queue in one transaction."""
