"""Tables of runs: `rows` says what is in them, and each other module writes one form."""
