"""Where what was found goes: the log, files for people and programs, pictures and videos."""
