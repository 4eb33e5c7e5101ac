"""Money that comes in through payment providers: orders, refunds, notices, and the day laid side by side (E21, E72)."""
