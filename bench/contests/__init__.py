"""The parts of the comparison; bench/rivals.py runs them."""
