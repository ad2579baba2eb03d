"""Dual-ATME (Zhou et al., Entropy 2023)."""
