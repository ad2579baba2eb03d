"""Kernel ridge regression on movement and deformation."""
