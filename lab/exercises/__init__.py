"""Exercises that check themselves: their files, their starting states, their checks, their students."""
