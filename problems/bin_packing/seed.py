"""Online bin packing: which bin does the next item go into?"""

import numpy as np


# EVOLVE-BLOCK-START
def priority(item: float, bins: np.ndarray) -> np.ndarray:
    """First fit: the earlier a bin was opened, the better."""
    order = np.arange(len(bins))
    return -1.0 * order


# EVOLVE-BLOCK-END
