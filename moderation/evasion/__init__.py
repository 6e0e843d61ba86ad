"""Seeing through evasion: what readers still read as a term although it is not written so."""
