"""Which person a row of a list is about: exact steps in SQL, the residue scored in memory, the rest asked of a human."""
