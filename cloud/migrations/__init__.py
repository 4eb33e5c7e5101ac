"""Forward migrations of the cloud's database, run at start."""
