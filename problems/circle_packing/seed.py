"""Concentric rings of circles, shrunk until they are disjoint."""

import math


# EVOLVE-BLOCK-START
def pack(n: int) -> list[list[float]]:
    """One circle in the middle, rings of 8, 16, 24, … around it, each circle as large as the walls allow."""
    rings = math.ceil((math.sqrt(n) - 1) / 2)
    circles = []
    for i in range(n):
        ring = math.ceil((math.sqrt(i + 1) - 1) / 2)
        angle = 2 * math.pi * i / max(8 * ring, 1)
        x = 0.5 + 0.499 * ring / max(rings, 1) * math.cos(angle)
        y = 0.5 + 0.499 * ring / max(rings, 1) * math.sin(angle)
        circles.append([x, y, min(x, y, 1 - x, 1 - y)])
    return disjoint(circles)


def disjoint(circles: list[list[float]]) -> list[list[float]]:
    """Of each pair that overlaps, both shrink in proportion."""
    for i, a in enumerate(circles):
        for b in circles[:i]:
            distance = math.dist(a[:2], b[:2])
            if a[2] + b[2] > distance:
                scale = distance / (a[2] + b[2])
                a[2] *= scale
                b[2] *= scale
    return circles


# EVOLVE-BLOCK-END
