"""Coverage-guided fuzzing of every door that files come in by (`make fuzz`); see `fuzzing` for the contract.

Usage: fuzz.py RUN RUNS [DIRECTORY]: the folder of a finished run of the shipped case, how many inputs, and where
inputs that reach new code are kept. Without atheris the same mutators break the same files, led by nothing.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None

if atheris:
    with atheris.instrument_imports(include=["sim"]):
        import sim.calibration.through_time  # noqa: F401 - with what it imports, all readers of tables

from fuzzing import list_doors, try_input
from mutators import mutate

# Doors that only one of so many inputs is tried at.
SLOW = {"plot": 50, "draws": 200, "figure": 20, "page": 50, "pdf": 50, "text": 5, "xlsx": 5, "ods": 5} | dict.fromkeys(
    ("template-md", "template-html", "template-pdf", "template-docx"), 200
)


class Trial:
    """Tries inputs, whose first byte says at which door, and counts what became of them."""

    def __init__(self, run: Path, place: Path) -> None:
        self.doors = list_doors(run)
        self.names = sorted(self.doors)
        self.places = {name: place / name for name in self.names}
        self.seeds = {}
        self.outcomes: Counter[str] = Counter()
        self.started = time.perf_counter()
        for name, door in self.doors.items():
            self.places[name].mkdir()
            door.lay(self.places[name])
            self.seeds[name] = (self.places[name] / door.file).read_bytes()

    def choose(self, first: int) -> str:
        """Return the door that a first byte names."""
        return self.names[first % len(self.names)]

    def try_bytes(self, data: bytes) -> None:
        """Try an input."""
        name = self.choose(data[0] if data else 0)
        status = try_input(self.doors[name], data[1:], self.places[name])
        self.outcomes[f"{name} {status}"] += 1

    def change(self, data: bytes, rng: random.Random) -> bytes:
        """Return an input made of another, or of a valid file: of such a door as is slow, seldom."""
        first = data[0] if data and rng.random() < 0.8 else rng.randrange(256)
        name = self.choose(first)
        while rng.random() > 1 / SLOW.get(name, 1):
            first = rng.randrange(256)
            name = self.choose(first)
        same = bool(data) and self.choose(data[0]) == name and rng.random() < 0.7
        content = data[1:] if same and len(data) > 1 else self.seeds[name]
        return bytes([first]) + mutate(content, rng, Path(self.doors[name].file).suffix)

    def keep_count(self, runs: int, kept: Path) -> None:
        """Write the counts after each thousand of inputs, and after the last."""
        if self.outcomes.total() % min(runs, 1_000):
            return
        seconds = time.perf_counter() - self.started
        lines = [f"{count:8} {outcome}" for outcome, count in sorted(self.outcomes.items())]
        lines.append(f"{self.outcomes.total():8} inputs in {seconds:.0f} s")
        (kept / "outcomes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Try as many inputs as are asked for; stop at the first that breaks the contract."""
    run, runs = Path(sys.argv[1]), int(sys.argv[2])
    kept = Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp())
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(run, Path(folder))
        if atheris is None:
            print("atheris is not there: the inputs are led by nothing")  # noqa: T201
            _lead_by_nothing(trial, runs, kept)
        else:
            _lead_by_coverage(trial, runs, kept)
    return 0


def _lead_by_nothing(trial: Trial, runs: int, kept: Path) -> None:
    data = b""
    for number in range(runs):
        data = trial.change(data, random.Random(number))  # noqa: S311 - to break files, not to keep secrets
        (kept / "last-input").write_bytes(data)
        trial.try_bytes(data)
        trial.keep_count(runs, kept)


def _lead_by_coverage(trial: Trial, runs: int, kept: Path) -> None:
    (kept / "corpus").mkdir(exist_ok=True)
    for first, name in enumerate(trial.names):
        if name not in SLOW:
            (kept / "corpus" / f"seed-{name}").write_bytes(bytes([first]) + trial.seeds[name])

    def try_one(data: bytes) -> None:
        try:
            trial.try_bytes(data)
        except BaseException:
            # Of a finding Python ends, and takes back its handler of the timer that atheris has set and leaves running:
            # it would strike before the input is written, and all that is seen is "Alarm clock".
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise
        trial.keep_count(runs, kept)  # at once: the program ends in libFuzzer, and does not come back

    def change(data: bytes, most: int, seed: int) -> bytes:
        return trial.change(data, random.Random(seed))[:most]  # noqa: S311 - as above

    # By the clock, which on a busy machine says little: `run_here` holds each input to seconds of the processor.
    limits = [f"-runs={runs}", "-max_len=400000", "-len_control=0", "-timeout=600", "-rss_limit_mb=2000"]
    options = [*limits, "-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={kept}/"]
    atheris.Setup([sys.argv[0], *options, str(kept / "corpus")], try_one, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
