"""The command line: `elites`. The only place that prints."""
