"""Merchants, what they pay for coupons, their purses and books, and what of it edges may spend."""
