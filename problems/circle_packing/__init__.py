"""Pack n circles into the unit square so that the sum of their radii is large."""
