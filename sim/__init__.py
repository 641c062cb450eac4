"""truetoll: from conflicting claims of war losses to credible intervals.

>>> import sim
>>> run = sim.run("kursk", seed=1)
>>> run.summary, run.posterior

A map of the package. A module imports from those above it, never from those below; a test holds the map true.

The borders: what is read, written and told:

    errors        a fault in one line: what, where, the value, what to do
    interruption  Ctrl-C and its kin end the program tidily
    whole         files and folders that appear whole or not at all
    files         reading what a user gives, within stated limits
    words         words for probabilities, and numbers in text

A case and its priors, as typed records:

    expressions   the grammar of derived quantities
    claims        one row of claims.csv each
    priors        prior sets from TOML
    case          forces, waves, sources, totals, derived quantities
    rules         what a case must keep as a whole
    result        the shape of a run's own files, when they are read again
    read          a case from its folder, a result from a run's
    inputs        what a run was made from, kept byte for byte
    timeline      the days of a case, cut into segments
    evidence      which claims count, and of what
    check         warnings that a careful reader would give
    new           a commented case to start from
    importers     cases from other projects' tables

The model:

    parameters    the parameters with their priors, as one vector
    arrays        numpy or PyTensor, so that the model is written once
    likelihood    what one claim says of one belief
    state         how many were sent and lost by each day
    rows          which observation speaks of which parts of the state
    beliefs       what each source believes, and how likely what it said is
    model         all of it joined: a design of arrays, a PyMC model

The sampler:

    machine       machine code that is kept on disk
    kernel        the log density and its gradient, by hand
    packing       a design in the buffer that the kernel reads
    nuts          trajectories of the no-U-turn sampler
    chains        chains with one metric, learned from all of them
    diagnostics   one verdict on the draws
    fit           starts, seeds, effort, progress
    posterior     draws of what is reported
    simulate      forward: truths, and the claims made of them

Many fits, and whether they are calibrated:

    store         finished tasks on disk, to go on from
    cluster       tasks on a Dask cluster
    tasks         tasks in processes here, or on a cluster
    sbc           simulation-based calibration
    scores        coverage, interval score, CRPS
    baselines     simple rules to beat
    record        past wars with established losses
    learn         priors learned from them
    backtest      forecasts of them, each war left out
    quarters      forecasts through a long war

What is reported:

    shares        what the variance hangs on
    value         what one more report would tell
    summary       summary.json
    trace         the draws as an ArviZ DataTree
    table         the summary as tables
    robustness    a sensitivity report in sentences
    plots         the figures, from the summary alone
    confidence    confidence by a printed rule
    memo          the memo in four formats
    artist        a process that draws the figures meanwhile

The verbs:

    runs          fit a case, write its folder
    variants      what else a case could mean
    conflict      who disagrees with whom
    powers        priors weaker or stronger
    sensitivity   how the answer would move
    compare       what changed between two runs
    verify        whether a run stands when it is repeated

The command line:

    console       what the commands share
    cli_many      commands of many fits, and of prior sets
    cli           the other commands
    start         where the program begins
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.runs import Run

__all__ = ["run"]


def run(case: str, *, seed: int = 1, **options: Any) -> Run:
    """Fit a case and return the run: see `sim.runs.run_case`."""
    from sim.runs import run_case

    return run_case(case, seed=seed, **options)
