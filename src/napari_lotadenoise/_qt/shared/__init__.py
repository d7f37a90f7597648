"""Widgets and helpers that the docks share."""
