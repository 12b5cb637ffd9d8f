"""Symbolic mutation and crossover of Python source, for any program: it knows nothing of what the program computes."""
