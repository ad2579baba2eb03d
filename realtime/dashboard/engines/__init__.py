"""Tab 4, "Speed"."""
