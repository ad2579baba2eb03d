"""Support vector machines: what a classical method reaches."""
