"""What a network sees of intensities, and the way back."""
