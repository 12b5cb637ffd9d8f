"""The search: controller, proposers, models, command line."""
