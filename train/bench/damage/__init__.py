"""`mer-bench damage`: files that people might hold, damaged by a seeded hand, given to the commands that read them."""
