"""Coupon templates, coupons given from afar, and vouchers printed at a lot."""
