"""Everything that a room without internet needs, in one file: written by `lab pack`, read by `lab unpack`."""
