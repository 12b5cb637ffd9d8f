"""What every sandbox keeps, as plain functions: `for check in CHECKS: check(make)`.

`make` returns a new sandbox. Each check attacks it, looks at the outcome, and sees to it that an honest program still
runs afterwards. A failed check raises AssertionError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from sandboxes.types import Data, Files, Needs, ProgramError, Sandbox

Make = Callable[[], Sandbox]
NEEDS = Needs(seconds=10.0, memory_mb=256)
HONEST = "import numpy as np\ndef f(x):\n    return {'sum': float(np.sum(x)), 'as': np.asarray(x) * 2}\n"


def program(source: str) -> Files:
    return {"program.py": source}


def run(sandbox: Sandbox, source: str, *args: Data, needs: Needs = NEEDS) -> Data:
    """The value of `f(*args)`."""
    with sandbox.start(program(source), needs, {}) as started:
        return started.call("f", *args)


def fault(sandbox: Sandbox, source: str, *args: Data, needs: Needs = NEEDS) -> ProgramError:
    """How `f(*args)` fails."""
    try:
        value = run(sandbox, source, *args, needs=needs)
    except ProgramError as error:
        return error
    raise AssertionError(f"expected a ProgramError, got the value {str(value)[:200]}")


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise AssertionError(what)


@contextmanager
def made(make: Make) -> Iterator[Sandbox]:
    """A sandbox in which an honest program runs at the end, whatever happened."""
    sandbox = make()
    try:
        yield sandbox
        value = run(sandbox, HONEST, [1.0, 2.0, 3.5])
        expect(isinstance(value, dict) and value["sum"] == 6.5, f"an honest program returned {value!r} afterwards")
    finally:
        sandbox.close()


def fails(make: Make, cases: dict[str, tuple[str, str, str]], needs: Needs = NEEDS) -> None:
    """Runs sources that must fail: name → (source, kind, what the text says)."""
    with made(make) as sandbox:
        for name, (source, kind, text) in cases.items():
            error = fault(sandbox, source, needs=needs)
            expect(error.kind == kind and text in error.text, f"{name}: expected {kind}: {text!r}, got {error}")
            expect(len(error.text) <= 4100, f"{name}: {len(error.text)} characters of text")


def check_values(make: Make) -> None:
    """Every kind of data comes back as it went, several calls see one state, and the usage is counted."""
    values: list[Data] = [None, True, 7, -2.5, "ü", [1, [2, {"$k": None}]], {"a": [], "": 0.1}, float("inf"), 10**40]
    with made(make) as sandbox:
        source = (
            "n = 0\ndef f(x):\n    global n\n    n += 1\n    print('call', n)\n    return x\ndef count(): return n\n"
        )
        with sandbox.start(program(source), NEEDS, {}, start=[1, 2]) as started:
            for value in values:
                expect(started.call("f", value) == value, f"{value!r} changed")
            for array in (np.arange(6.0).reshape(2, 3).T, np.zeros((0, 2), "i2"), np.array(1 + 2j), np.array([True])):
                back = started.call("f", array)
                expect(isinstance(back, np.ndarray) and back.dtype == array.dtype, f"{array!r} changed its type")
                expect(np.array_equal(np.asarray(back), array), f"{array!r} came back as {back!r}")
            expect(str(started.call("f", x=float("nan"))) == "nan", "NaN changed")
            expect(started.call("count") == len(values) + 5, "calls of one program do not share its state")
            expect(started.printed().splitlines()[-1] == f"call {len(values) + 5}", f"printed {started.printed()!r}")
            usage = started.usage()
            expect(0 < usage.wall_seconds < 10 and usage.cpu_seconds > 0 and usage.peak_mb > 1, f"used {usage}")
            expect(started.start == [1, 2] and started.files == program(source), "start and files are not as given")
        expect(started.usage().cpu_seconds > 0, "the usage is lost at the end")


def check_no_memory_of_others(make: Make) -> None:
    """Neither modules, files, random states nor shared memory pass from a program to the next."""
    mark = (
        "import sys, random, os, numpy as np\nfrom pathlib import Path\ndef f():\n"
        "    sys.mark = np.mark = 1\n    Path('deep/er').mkdir(parents=True)\n    Path('deep/er/mark').touch()\n"
        "    os.chmod('deep', 0)\n    os.symlink('/etc/passwd', 'link')\n    os.mkfifo('fifo')\n"
        "    return [random.random(), float(np.random.rand())]\n"
    )
    look = "import sys, os, numpy as np\ndef f(): return [hasattr(sys, 'mark'), hasattr(np, 'mark'), os.listdir('.')]\n"
    with made(make) as sandbox:
        first, again = (run(sandbox, mark) for _ in range(2))
        expect(first == again, f"two runs of one program differ: {first} and {again}")
        expect(run(sandbox, look) == [False, False, []], f"the next program sees {run(sandbox, look)}")


def check_nothing_of_others_in_memory(make: Make) -> None:
    """Nothing that a program was, was given, said or named a file is in the memory of the next, which was forked after it."""
    tell = (
        "def f(text):\n    print('mark printed', text[-8:])\n"
        "    for name in range(99): open('mark file %08d' % name, 'w').close()\n"
        "    return ['mark reply ' + text[-8:]] * 99\n" + "# mark source 12345678\n" * 99
    )
    look = (
        "import ctypes, re\ndef f():\n    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n    own = 'mark own %d' % (10 ** 7 + 1)\n"
        "    found = set()\n    with open('/proc/self/mem', 'rb', 0) as memory:\n"
        "        for line in list(open('/proc/self/maps')):\n            if ' rw' not in line: continue\n"
        "            low, high = (int(part, 16) for part in line.split()[0].split('-'))\n            memory.seek(low)\n"
        "            found |= set(re.findall(rb'mark [a-z]+ [0-9]{8}', memory.read(high - low)))\n"
        "    return sorted(text.decode() for text in found)\n"
    )
    with made(make) as sandbox:
        run(sandbox, tell, "mark argument 12345678" * 99)
        found = run(sandbox, look)
        expect(found == ["mark own 10000001"], f"the next program has in its memory {str(found)[:999]}")


def check_fresh(make: Make) -> None:
    """A program may have another beside it, with its own state; several files import each other."""
    files = {"program.py": "import helper\ndef f(): return helper.value()\n", "helper.py": "def value(): return 42\n"}
    with made(make) as sandbox, sandbox.start(files, NEEDS, {}) as started:
        expect(started.call("f") == 42, "a second file cannot be imported")
        with started.fresh() as other, started.fresh(program("def f(): return 7")) as third:
            expect((other.call("f"), third.call("f"), started.call("f")) == (42, 7, 42), "fresh programs are mixed up")


def check_crashes(make: Make) -> None:
    cases = {
        "exception": ("def f():\n    return 1 / 0\n", "crash", 'File "program.py", line 2, in f\n    return 1 / 0'),
        "syntax": ("def f(:\n", "crash", "SyntaxError"),
        "import": ("import nothing_like_this", "crash", "ModuleNotFoundError"),
        "missing": ("def g(): pass\n", "crash", "must define a function `f`; it defines g"),
        "exit": ("import sys\ndef f(): sys.exit(3)\n", "crash", "SystemExit: 3"),
        "_exit": ("import os\ndef f(): os._exit(3)\n", "crash", "exit status 3"),
        "segfault": ("import os\ndef f(): os.kill(os.getpid(), 11)\n", "crash", "SIGSEGV"),
        "kill": ("import os\ndef f(): os.kill(os.getpid(), 9)\n", "crash", "killed itself"),
        "recursion": ("def f(): return f()\n", "crash", "RecursionError"),
        "long text": ("def f(): raise ValueError('x' * 10**6 + '\\ud800')\n", "crash", "[...]"),
        "closed": ("import os, time\ndef f():\n    os.closerange(0, 99)\n    time.sleep(60)\n", "crash", "connection"),
    }
    fails(make, cases)


def check_no_data(make: Make) -> None:
    """What is no data is `invalid`, said with its place; so is whatever else stands on the connection."""
    raw = "import os, struct, time\ndef f():\n    os.write(4, {})\n    time.sleep(60)\n"
    cases = {
        "set": ("def f(): return [0, 1, {'x': {1}}]\n", "invalid", "got set at [2].x"),
        "key": ("def f(): return {1: 2}\n", "invalid", "keys must be strings"),
        "complex": ("def f(): return 1j\n", "invalid", "got complex"),
        "objects": ("import numpy as np\ndef f(): return np.array([None])\n", "invalid", "array of object"),
        "deep": (
            "def f():\n    x = []\n    for _ in range(10000): x = [x]\n    return x\n",
            "invalid",
            "nested deeper",
        ),
        "digits": ("def f(): return 10 ** 5000\n", "invalid", "digits"),
        "large": ("import numpy as np\ndef f(): return np.zeros(10 ** 6)\n", "invalid", "at most 1 MB"),
        "garbage": (raw.format("b'\\x08\\0\\0\\0\\x08\\0\\0\\0garbage!'"), "invalid", "broken JSON"),
        "huge claim": (raw.format("b'\\xff' * 8"), "invalid", "at most 1 MB"),
        "two replies": (raw.format("(struct.pack('<II', 1, 1) + b'1') * 2"), "invalid", "more than one reply"),
        "no form": (raw.format("struct.pack('<II', 1, 1) + b'1'"), "invalid", "not in the form"),
        "deep JSON": (raw.format("struct.pack('<II', 40000, 40000) + b'[' * 40000"), "invalid", "nested deeper"),
    }
    fails(make, cases, Needs(memory_mb=256, reply_mb=1.0))


def check_timeouts(make: Make) -> None:
    """The deadline holds against sleeping, spinning, stopping and ignoring signals, over all calls together."""
    stop = "import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGSTOP)\n"
    deaf = (
        "import signal, time\ndef f():\n    for n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n    time.sleep(60)\n"
    )
    cases = {
        "sleep": ("import time\ndef f(): time.sleep(60)\n", "timeout", "more than 0.5 s"),
        "spin": ("while True: pass\n", "timeout", "more than"),
        "stop": (stop, "timeout", "more than 0.5 s"),
        "deaf": (deaf, "timeout", "more than 0.5 s"),
    }
    began = time.monotonic()
    fails(make, cases, Needs(seconds=0.5, memory_mb=256))
    expect(time.monotonic() - began < 30, "timeouts take too long")
    with (
        made(make) as sandbox,
        sandbox.start(program("import time\nf = time.sleep"), Needs(seconds=1.0), {}) as started,
    ):
        started.call("f", 0.4)
        time.sleep(1.0)
        started.call("f", 0.1)
        for _ in range(2):
            try:
                started.call("f", 0.9)
            except ProgramError as error:
                expect(error.kind == "timeout", f"expected a timeout, got {error}")
            else:
                raise AssertionError("the time of several calls is not added up")


def check_memory(make: Make) -> None:
    keep = "import numpy as np\ndef f():\n    kept = []\n    while True: kept.append(np.ones(10 ** 6))\n"
    cases = {
        "at once": ("import numpy as np\ndef f(): return np.ones(10 ** 10)\n", "memory", "Unable to allocate"),
        "little by little": (keep, "memory", "more memory"),
        "python": ("def f():\n    x = [0]\n    while True: x += x\n", "memory", "more memory"),
    }
    fails(make, cases)


def check_floods(make: Make) -> None:
    """Printing without end is ended; files cannot fill the machine; a little printing is kept."""
    write = "def f():\n    with open('big', 'wb') as file:\n        while True: file.write(b'x' * 10 ** 6)\n"
    cases = {
        "print": ("def f():\n    while True: print('x' * 1000)\n", "crash", "printed more than 1 MB"),
        "stderr": (
            "import os\ndef f():\n    while True: os.write(2, b'x' * 5000)\n",
            "crash",
            "printed more than 1 MB",
        ),
        "file": (write, "crash", "OSError"),
    }
    fails(make, cases)
    with made(make) as sandbox, sandbox.start(program("def f(): print('y' * 9000 + 'end')"), NEEDS, {}) as started:
        started.call("f")
        expect(len(started.printed()) <= 4000 and started.printed().endswith("yend\n"), "the end of the output is lost")


def check_survivors(make: Make) -> None:
    """A fork bomb and a daemon that has left its parent, group and session are gone with their program."""
    bomb = "import os\ndef f():\n    while True:\n        try: os.fork()\n        except OSError: pass\n"
    daemon = (
        "import os, signal, time\ndef f():\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
        "            signal.signal(15, signal.SIG_IGN)\n            while True:\n"
        "                open('alive', 'w').close()\n                time.sleep(0.01)\n        os._exit(0)\n"
        "    time.sleep(0.2)\n    return os.path.exists('alive')\n"
    )
    look = "import os, time\ndef f():\n    time.sleep(0.3)\n    return os.listdir('.')\n"
    several = Needs(seconds=2.0, memory_mb=256, processes=6)
    with made(make) as sandbox:
        expect(
            fault(sandbox, bomb, needs=Needs(seconds=0.5, memory_mb=256, processes=6)).kind == "timeout", "fork bomb"
        )
        expect(run(sandbox, daemon, needs=several) is True, "a program with six processes cannot fork")
        expect(run(sandbox, look, needs=several) == [], "a daemon has survived its program")
        expect(fault(sandbox, "import os\ndef f(): os.fork()\n").kind == "crash", "one process means one")


def check_nothing_around(make: Make) -> None:
    """No environment but the numbers of threads, no network, standard input empty."""
    reach = "    try: socket.create_connection(('1.1.1.1', 53), 2)\n    except OSError: return 'none'\n"
    net = "import socket\ndef f():\n" + reach
    env = "[name for name in os.environ if not name.endswith('_NUM_THREADS')]"
    look = f"import os, sys\ndef f(): return [{env}, sys.stdin.read(), sys.argv]\n"
    with made(make) as sandbox:
        expect(run(sandbox, look) == [[], "", ["program.py"]], f"a program sees {run(sandbox, look)}")
        expect(run(sandbox, net) == "none", "a program reaches the network")


def check_kill_everything(make: Make) -> None:
    """A program cannot reach its harness by signals. Only for sandboxes with users or namespaces of their own."""
    source = "import os\ndef f():\n    try: os.kill({}, {})\n    except OSError as error: return type(error).__name__\n"
    with made(make) as sandbox:
        expect(run(sandbox, source.format(-1, 9)) == "ProcessLookupError", "it has killed another process")
        for number in (9, 19):
            got = run(sandbox, source.format("os.getppid()", number))
            expect(got in ("PermissionError", "ProcessLookupError", None), f"signal {number} to the harness: {got}")


CHECKS: tuple[Callable[[Make], None], ...] = (
    check_values,
    check_no_memory_of_others,
    check_nothing_of_others_in_memory,
    check_fresh,
    check_crashes,
    check_no_data,
    check_timeouts,
    check_memory,
    check_floods,
    check_survivors,
    check_nothing_around,
    check_kill_everything,
)
