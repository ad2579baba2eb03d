"""SKD-TSTSAN (Zhu et al. 2024)."""
