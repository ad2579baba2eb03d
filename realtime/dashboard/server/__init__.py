"""The server under the page: who may reach it, what it takes, and what it serves."""
