"""From a trained network to a whole image: tiles, ensembles, uncertainty."""
