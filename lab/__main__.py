"""`python -m lab`: the same as the command `lab`, also where that is on no PATH."""

from lab.cli import main

main()
