"""The spotter's verifier: what it learns from, how it is trained, calibrated and exported."""
