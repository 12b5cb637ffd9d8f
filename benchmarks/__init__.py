"""What is measured: each script prints its figures, and one JSON object with --json."""
