"""Faces in pictures: found, followed, and carried onto one and the same aligned picture."""
