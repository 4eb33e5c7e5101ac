"""Lots, their lanes and edges, and what happens in them: cars inside, payments, debts, incidents."""
