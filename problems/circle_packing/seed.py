"""Concentric rings of circles, shrunk until they are disjoint."""

import math
from itertools import combinations


# EVOLVE-BLOCK-START
def ring(i: int) -> int:
    """One circle in the middle, then rings of 8, 16, 24, … around it."""
    return math.ceil((math.sqrt(i + 1) - 1) / 2)


def pack(n: int) -> list[list[float]]:
    """Each circle is as large as the walls allow; of each pair that overlaps, both shrink in proportion."""
    apart = 0.499 / max(ring(n - 1), 1)
    circles = []
    for i in range(n):
        x = 0.5 + apart * ring(i) * math.cos(2 * math.pi * i / max(8 * ring(i), 1))
        y = 0.5 + apart * ring(i) * math.sin(2 * math.pi * i / max(8 * ring(i), 1))
        r = min(0.5, x, y, 1 - x, 1 - y)
        circles.append([x, y, r])
    for a, b in combinations(circles, 2):
        scale = min(1, math.dist(a[:2], b[:2]) / (a[2] + b[2]))
        a[2] *= scale
        b[2] *= scale
    return circles


# EVOLVE-BLOCK-END
