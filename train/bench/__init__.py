"""`mer-bench`: what the program is measured with."""
