"""`python -m realtime.cli.engine`, as `mer-engine`."""

from realtime.cli.engine import main

main()
