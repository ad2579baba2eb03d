"""Measuring and training the spotter on clips with known truth."""
