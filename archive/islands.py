"""Islands: populations apart that now and then learn from their neighbour. Where a step belongs is arithmetic.

Tanese, "Distributed genetic algorithms" (ICGA 1989), on a ring; here it is the parents that travel.
"""

from __future__ import annotations


def place(step: int, islands: int, migration: int) -> tuple[int, int]:
    """Where a step belongs, and where it learns.

    Args:
        step: from 1; step 0 is the seed, which belongs to every island.
        islands: how many there are.
        migration: every how many steps of an island one draws from the island before; 0 for never.

    Returns:
        The home island, whose cell the child contests, and the source, the island that the sampler draws from.

    Raises:
        ValueError: the step is the seed, or there are no islands.
    """
    if step < 1 or islands < 1:
        raise ValueError(f"a step from 1 and at least one island were expected, not step {step} of {islands} islands")
    home, turn = (step - 1) % islands, (step - 1) // islands
    migrates = islands > 1 and migration > 0 and turn % migration == migration - 1
    return home, (home - 1) % islands if migrates else home
