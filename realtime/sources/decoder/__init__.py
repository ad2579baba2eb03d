"""Decoders, each in a child process: media that people send may crash one."""
