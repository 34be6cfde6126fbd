"""`python -m baseboard`."""

from baseboard.cli.main import main

main()
