"""The live plane: credential reports, facts, judging, collection, verification."""
