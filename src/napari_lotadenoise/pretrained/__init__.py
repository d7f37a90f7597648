"""The shipped weights, and what surrounds one pass through them."""
