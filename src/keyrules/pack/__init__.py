"""The catalogue: rule files, conditions, parameters, selection, stamp."""
