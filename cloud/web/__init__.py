"""The shell all cloud pages share."""
