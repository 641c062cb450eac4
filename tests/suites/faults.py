"""Faults at random moments: signals, full disks and swapped links, and what is left of commands afterwards.

`python tests/suites/faults.py --n 200 --seed 1` draws moments, of each a fault, a verb and a share of what an
undisturbed command takes: of its time for a signal or a swap, of its bytes for a disk that is full. A swap puts a link
to another folder in the place of what the command writes into. After each it prints what was found, and how many of all
are done; it ends at once with what it has found, and 1 where anything is wrong, when it is interrupted itself.
`--skip 40` goes on after the first 40 moments of a seed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from doors import ARTICLE
from examples import ONE_DAY, ONE_DAY_ROWS, format_claims
from machine import can_mount, find_temporary, heeds_signals, judge_temporary, measure, mount, wait_for_none
from program import PROGRAM, call_here
from records import write_record

FAULTS = ("SIGKILL", "SIGTERM", "SIGINT", "disk", "swap")
# The second row goes on by being started again, from what a folder or a file keeps.
RESUMED = ("sbc", "backtest", "sensitivity")
VERBS = ("run", *RESUMED, "memo", "plot", "fit", "draft")
MANY = (*RESUMED, "fit")  # take --jobs
MARK = "TRUETOLL_FAULT"  # in the environment of a command, and so of all that it starts
PATIENCE = 120.0  # seconds, at least, until a command that does not end is killed
EARLY = 0.2  # of a command's time, after which it must heed signals, however slowly Python has started


@dataclass(frozen=True)
class Moment:
    """A fault at a share of an undisturbed command; `group`: a signal goes to all its processes, as Ctrl-C does."""

    fault: str
    verb: str
    jobs: int
    share: float
    group: bool

    def __str__(self) -> str:
        return f"{self.fault} at {self.share:.3f} of {self.verb} --jobs {self.jobs}{' (group)' if self.group else ''}"


@dataclass(frozen=True)
class Undisturbed:
    """What a command does when nothing happens: seconds, the files that it writes, their bytes, its result."""

    seconds: float
    files: set[str]
    size: int
    result: dict


def draw_moments(count: int, seed: int, verbs=VERBS) -> list[Moment]:
    """Return moments, every fault and verb in turn."""
    rng = random.Random(seed)  # noqa: S311 - moments are no secret
    pairs = [(fault, verb) for fault in FAULTS for verb in verbs]
    return [
        Moment(fault, verb, rng.choice([1, 2]) if verb in MANY else 1, rng.uniform(0.0, 1.0), rng.random() < 0.5)
        for fault, verb in (pairs[n % len(pairs)] for n in range(count))
    ]


class Bench:
    """A place with inputs, an earlier run, and what undisturbed commands do.

    `here`: commands that nothing disturbs are called in this process, which has loaded what they need, one at a time;
    but not those whose time is taken.
    """

    def __init__(self, place: Path, moments: list[Moment], *, here: bool = False) -> None:
        self.place, self.here = place, here
        case = place / "small"
        case.mkdir()
        self.case = str(case)
        (case / "case.toml").write_text(ONE_DAY, encoding="utf-8")
        (case / "claims.csv").write_text(format_claims(ONE_DAY_ROWS), encoding="utf-8")
        self.record = write_record(place / "record")
        self.article = place / "article.txt"
        self.article.write_text("\n\n".join(ARTICLE), encoding="utf-8")
        self.earlier = place / "earlier"
        for verb in ("run", "sbc"):
            status, _, told = self.finish(verb, 1, self.earlier, seed=9)
            assert status == 0, told
        self.known = {key: self._try(*key) for key in sorted(set(map(find_key, moments)))}

    def start(self, verb: str, jobs: int, results: Path, *more: str, seed: int = 1, mark: str = ""):
        """Start a command in a group of its own."""
        order = self._order(verb, jobs, results, *more, seed=seed)
        temporary = find_temporary(results)
        temporary.mkdir(exist_ok=True)
        return subprocess.Popen(
            # What a shell runs in the background ignores Ctrl-C, and hands that down.
            ["env", "--default-signal=INT", PROGRAM, *order],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, cwd=self.place, env={**os.environ, "TMPDIR": str(temporary), MARK: mark},
        )  # fmt: skip

    def finish(
        self, verb: str, jobs: int, results: Path, *more: str, seed: int = 1, seconds: float = math.inf
    ) -> tuple[int, str, str]:
        """Have a command done that nothing disturbs; return its status, and what it says on both streams."""
        if self.here:
            temporary = find_temporary(results)
            temporary.mkdir(exist_ok=True)
            with keep_temporary(temporary):
                done = call_here(*self._order(verb, 1, results, *more, seed=seed))
            return done.returncode, done.stdout, done.stderr
        running = self.start(verb, jobs, results, *more, seed=seed)
        said, told = wait_for(running, seconds) if math.isfinite(seconds) else running.communicate()
        return running.returncode, said, told

    def _order(self, verb: str, jobs: int, results: Path, *more: str, seed: int) -> list:
        """Return a command and all its options."""
        order = [*self._name(verb, results), "--json"]
        order += ["--jobs", str(jobs)] if verb in MANY else []
        order += [] if verb in ("memo", "plot", "draft") else ["--seed", str(seed)]
        order += ["--results", results] if verb in ("run", *RESUMED) else []
        return [*order, "--quiet", *more]

    def _name(self, verb: str, results: Path) -> list:
        """Return the words of a command, with what it reads and writes."""
        run = next(results.glob("small/*-seed9"), results)
        return {
            "run": ["run", self.case],
            "sbc": ["sbc", self.case, "--n", "4"],
            "backtest": ["backtest", *self.record, "--prior", "default"],
            "sensitivity": ["sensitivity", self.case],
            "memo": ["memo", run, "--format", "html,docx"],
            "plot": ["plot", run, "--format", "png,svg"],
            "fit": [
                "priors",
                "fit",
                *self.record,
                "--out",
                results / "learned.toml",
                "--sites",
                results / "sites.json",
            ],
            "draft": ["draft", self.article, "--into", results / "drafted"],
        }[verb]

    def _try(self, verb: str, jobs: int) -> Undisturbed:
        results = self.place / f"undisturbed-{verb}-{jobs}"
        shutil.copytree(self.earlier, results)
        started = time.perf_counter()
        running = self.start(verb, jobs, results)
        said, told = running.communicate()
        assert running.returncode in (0, 4), told
        seconds = time.perf_counter() - started
        files = {plain_name(path, results) for path in results.rglob("*") if path.is_file()}
        size = measure(results) - measure(self.earlier)
        return Undisturbed(seconds, files, size, read_said(said, results))

    def strike(self, moment: Moment) -> tuple[str, list[str]]:
        """Do the fault of a moment; return whether it struck, and what is wrong afterwards."""
        known = self.known[find_key(moment)]
        results = Path(tempfile.mkdtemp(dir=self.place)) / "results"
        shutil.copytree(self.earlier, results)
        if moment.fault == "disk":
            mount(results, measure(self.earlier) + int(moment.share * known.size))
            shutil.copytree(self.earlier, results, dirs_exist_ok=True)
        try:
            struck, wrong = self._strike(moment, known, results)
        finally:
            if moment.fault == "disk":
                subprocess.run(["umount", results], check=True)
            shutil.rmtree(results.parent)
        return struck, wrong

    def _strike(self, moment: Moment, known: Undisturbed, results: Path) -> tuple[str, list[str]]:
        before, mark, early = snapshot(results), uuid4().hex, False
        running = self.start(moment.verb, moment.jobs, results, mark=mark)
        swapped: list[Path] = []
        outside = results.parent / "outside"
        if moment.fault == "swap":
            outside.mkdir()
            time.sleep(moment.share * known.seconds)
            swapped = swap_drafts(running, results, outside)
        elif moment.fault != "disk":
            number = signal.Signals[moment.fault]
            time.sleep(moment.share * known.seconds)
            early = moment.share < EARLY and not heeds_signals(running.pid)
            (os.killpg if moment.group else os.kill)(running.pid, number)  # a zombie until it is waited for
        said, told = wait_for(running, known.seconds)
        wrong = [] if early else judge_end(moment.fault, running.returncode, told)
        struck = "early" if early else "struck" if running.returncode not in (0, 4) else "late"
        wrong += [f"outside: {path.name}" for path in outside.rglob("*")]
        for place in swapped:
            wrong += [f"a half in what was taken away: {path.name}" for path in place.rglob("*")]
            shutil.rmtree(place)
        left = wait_for_none(mark, known.seconds)
        wrong += [f"still runs: {each}" for each in left]
        wrong += judge_folder(results, before, known, drafts=moment.fault == "SIGKILL")
        wrong += judge_temporary(find_temporary(results), drafts=moment.fault == "SIGKILL")
        if moment.fault == "disk":
            subprocess.run(["mount", "-o", "remount,size=64m", results], check=True)
        more = ("--resume",) if moment.verb in RESUMED else ()
        status, said, told_again = self.finish(moment.verb, moment.jobs, results, *more, seconds=known.seconds)
        if status not in (0, 4):
            return struck, [*wrong, f"does not go on: {status} {told_again}"]
        if read_said(said, results) != known.result:
            wrong.append("another result")
        last = [*judge_folder(results, before, known, drafts=False), *judge_temporary(find_temporary(results))]
        wrong += [f"going on: {each}" for each in last]
        return struck, [f"{each} [{running.returncode}: {told.strip()[-300:]}]" for each in wrong]


def find_key(moment: Moment) -> tuple[str, int]:
    """Return verb and jobs of the undisturbed command to measure a moment by: how many share writes no other bytes."""
    return moment.verb, 1 if moment.fault == "disk" else moment.jobs


@contextmanager
def keep_temporary(folder: Path) -> Iterator[None]:
    """Have what is done in this process, and what it starts, leave temporary files in a folder."""
    with patch.dict(os.environ, {"TMPDIR": str(folder)}), patch.object(tempfile, "tempdir", str(folder)):
        yield


def wait_for(running: subprocess.Popen, seconds: float) -> tuple[str, str]:
    """Return what a command says; one that takes ten times as long as undisturbed is killed, and has said nothing."""
    try:
        return running.communicate(timeout=max(PATIENCE, 10 * seconds))
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return "", "it does not end"


def swap_drafts(running: subprocess.Popen, results: Path, outside: Path) -> list[Path]:
    """Move the next draft that a command makes away, and put a link to another folder in its place; return where to."""
    while running.poll() is None:
        for draft in (path for path in results.rglob(".unfinished-*") if not path.is_symlink()):
            taken = results.parent / f"taken{draft.name}"
            try:
                draft.rename(taken)
            except FileNotFoundError:  # it has got its name meanwhile
                continue
            draft.symlink_to(outside)
            return [taken]
        time.sleep(0.005)
    return []


def judge_end(fault: str, status: int, told: str) -> list[str]:
    """Return what is wrong with how a command ended: its exit status, and what it said."""
    wrong = [] if "Traceback" not in told else ["a traceback"]
    if status in (0, 4):  # it was done
        return wrong + ([f"speaks of nothing: {told}"] if told else [])
    expected = {"SIGKILL": (-9,), "SIGTERM": (143,), "SIGINT": (130,), "disk": (1, 3), "swap": (3,)}[fault]
    if status not in expected:
        wrong.append(f"exit status {status}")
    if fault != "SIGKILL":
        wrong += [] if len(told.splitlines()) == 1 else [f"{len(told.splitlines())} lines"]
        wrong += [] if any(word in told for word in ("kept", "whole", "written")) else ["no word of what is kept"]
    return wrong


def judge_folder(results: Path, before: dict[str, str], known: Undisturbed, *, drafts: bool) -> list[str]:
    """Return what is wrong in a folder of results: earlier files, halves, drafts."""
    now = snapshot(results)
    wrong = [f"touched {name}" for name, content in before.items() if now.get(name) != content]
    runs: dict[Path, set[str]] = {}
    for name in now.keys() - before.keys():
        path = results / name
        if ".unfinished-" in name:
            wrong += [] if drafts else [f"a draft: {name}"]
            continue
        if plain_name(path, results) not in known.files:
            wrong.append(f"a stranger: {name}")
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        if path.suffix == ".toml":
            tomllib.loads(path.read_text(encoding="utf-8"))
        if path.suffix == ".docx" and not zipfile.is_zipfile(path):
            wrong.append(f"half of {name}")
        if path.suffix == ".png" and not path.read_bytes().endswith(b"IEND\xaeB\x60\x82"):
            wrong.append(f"half of {name}")
        folder = results.joinpath(*path.relative_to(results).parts[:2])
        if folder.is_dir():
            runs.setdefault(folder, set()).add(plain_name(path, results))
    for folder, files in runs.items():
        if "seed1" in folder.name and folder.parent.name == "small":
            made = {name for name in known.files if "TIME" in name and "seed1" in name}  # not what stood there before
            wrong += [f"{folder.name} lacks {name}" for name in made - files]
    return wrong


def plain_name(path: Path, results: Path) -> str:
    """Return a path below the results, with a word for the time."""
    return re.sub(r"\d{8}-\d{6}", "TIME", str(path.relative_to(results)))


def snapshot(folder: Path) -> dict[str, str]:
    """Return a hash of each file below a folder."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.name.startswith(".unfinished-"):
            found[str(path.relative_to(folder))] = ""
    return found


def read_said(said: str, results: Path) -> dict:
    """Return a result as JSON tells it, wherever the folder of results is, without the seconds that it took.

    Of drafts how many rows the case has of them: those that were entered before the fault are known afterwards.
    """
    result = without_time(json.loads(said.replace(str(results), "results")))
    if "entered" in result:
        return {"rows": result["entered"] + result["known"]}
    return result


def without_time(result: dict) -> dict:
    """Return a result without the seconds that it took, wherever they stand."""
    return {
        key: without_time(value) if isinstance(value, dict) else value
        for key, value in result.items()
        if key != "seconds"
    }


def strike_all(
    moments: list[Moment], place: Path, at_once: int = 1, tell=lambda _: None, *, here: bool = False
) -> tuple[Counter, list[str]]:
    """Return how often what was struck, and all that is wrong; an interruption ends it with what was found by then."""
    usable = [moment for moment in moments if moment.fault != "disk" or can_mount()]
    bench = Bench(place, usable, here=here)
    counts, wrong = Counter({"skipped: no small disk can be mounted here": len(moments) - len(usable)}), []
    with ThreadPoolExecutor(at_once) as pool, suppress(KeyboardInterrupt):
        for number, (moment, (struck, found)) in enumerate(zip(usable, pool.map(bench.strike, usable), strict=True), 1):
            counts[f"{moment.fault} {moment.verb} {struck}"] += 1
            wrong += [f"{moment}: {each}" for each in found]
            so_far = f"{number} of {len(usable)} done, {len(wrong)} things are wrong"
            tell("; ".join([f"{moment}: {struck}", *found, so_far]))
    return +counts, wrong


def tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=1)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started, moments = time.perf_counter(), draw_moments(given.n, given.seed)[given.skip :]
    with tempfile.TemporaryDirectory() as place:
        counts, wrong = strike_all(moments, Path(place), given.at_once, tell)
    for what, count in sorted(counts.items()):
        tell(f"{what}: {count}")
    tell(f"{counts.total()} moments in {time.perf_counter() - started:.0f} s, {len(wrong)} things are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
