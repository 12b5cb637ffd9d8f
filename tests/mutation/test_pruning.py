from agent.mutation.pruning import pruned


def test_what_nothing_reads_is_left_out() -> None:
    text = "def f(n):\n    a = n + 1  # gone\n    b = a * 2\n    c = 3\n    return c\n"
    assert pruned(text) == "def f(n):\n    c = 3\n    return c\n"


def test_what_may_have_an_effect_stays() -> None:
    for line in ("a = g(n)", "a = n.pop()", "a += 1", "a = (b := n)"):
        text = f"def f(n):\n    {line}\n    return n\n"
        assert pruned(text) == text


def test_names_read_in_inner_functions_loops_and_conditions_stay() -> None:
    text = "def f(n):\n    a = 1\n    b = 2\n    def g():\n        return a\n    while b:\n        b = 0\n    return g\n"
    assert pruned(text) == text


def test_a_body_never_becomes_empty_and_shared_lines_stay() -> None:
    text = "def f(n):\n    for i in n:\n        a = i\n    b = 1; return n\n"
    assert pruned(text) == text


def test_what_is_no_python_and_modules_stay() -> None:
    assert pruned("def f(:") == "def f(:"
    assert pruned("unused = 1\n") == "unused = 1\n"


def test_what_is_overwritten_before_it_is_read_is_left_out() -> None:
    text = "def f(n):\n    for i in n:\n        a = i + 1\n        b = 2\n        a = i * b\n    return a\n"
    assert pruned(text) == "def f(n):\n    for i in n:\n        b = 2\n        a = i * b\n    return a\n"


def test_what_may_be_read_before_it_is_overwritten_stays() -> None:
    for between in ("b = a", "a += 1", "g(a)", "if n:\n        return a", "while n: n.pop()", "h = lambda: a"):
        text = f"def f(n):\n    a = 1\n    {between}\n    a = 2\n    return (a, b, h)\n"
        assert pruned(text) == text, between
    assert pruned("def f(n):\n    a = 1\n    a = a + 1\n    return a\n") == "def f(n):\n    a = 1\n    a = a + 1\n    return a\n"
