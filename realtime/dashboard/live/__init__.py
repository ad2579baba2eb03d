"""Tab 1: a camera or a stream, watched while it runs."""
