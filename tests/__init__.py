"""Tests: `unit` needs no machine; the other folders say what they need."""
