"""The Noise dock."""
