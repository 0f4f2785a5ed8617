"""How results are named in sentences, figures, tables and at the terminal."""
