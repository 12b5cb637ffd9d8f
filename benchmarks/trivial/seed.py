# EVOLVE-BLOCK-START
def f():
    return 0.1


# EVOLVE-BLOCK-END
