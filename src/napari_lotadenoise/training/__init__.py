"""One network learning: crops, optimiser, trainer."""
