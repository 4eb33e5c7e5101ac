"""The service that holds merchants, coupons and books for many lots."""
