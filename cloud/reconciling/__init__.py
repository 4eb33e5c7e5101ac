"""Each day's money told twice and laid side by side: orders, what lots booked, stays, coupons, merchants (E72)."""
