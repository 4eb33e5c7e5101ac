"""A picture of every page, in both languages, every size and light and dark, with what a machine can check of it."""
