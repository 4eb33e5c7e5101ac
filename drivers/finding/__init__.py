"""Looking for devices an installer has plugged in: bounded, private networks only, nothing moved or changed."""
