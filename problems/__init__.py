"""What is worth discovering: one folder a problem."""
