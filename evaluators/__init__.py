"""The judges: evaluators by family, the checked parsing and exact mathematics they share, and the engines that carry them out."""
