"""Coupons for sale: products, purchases, and the stock they leave."""
