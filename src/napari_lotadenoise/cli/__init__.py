"""The command ``lotadenoise``."""
