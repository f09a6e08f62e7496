"""OSCAL: catalogs, profiles, a component definition, assessment plans, results and plans of action that join."""
