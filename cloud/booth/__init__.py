"""What the booths report of their drawers, and who may sign in there."""
