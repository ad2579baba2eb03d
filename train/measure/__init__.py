"""How recognition is measured: who is held out, the figures, and their tables."""
