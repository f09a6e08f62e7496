"""What frames every run: settings, configuration, exceptions, baseline, conclusion."""
