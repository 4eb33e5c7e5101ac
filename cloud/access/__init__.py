"""Who may come in, as what, and a record of what they did."""
