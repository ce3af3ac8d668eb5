"""`python -m tsq.cli` is `tsq`."""

from tsq.cli.main import main

main()
