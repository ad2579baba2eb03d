"""Tab 2: recordings that are dropped on the page."""
