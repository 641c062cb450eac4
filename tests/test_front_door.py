"""The front door: what `import sim` gives, at what cost, and the examples of its docstrings."""

from __future__ import annotations

import doctest
import subprocess
import sys

import pytest
from records import write_record

import sim
from sim.case.case import CaseFile
from sim.case.folder import format_case_file, list_shipped_cases
from sim.robustness.variants import list_variants
from sim.runs.folder import read_manifest
from sim.runs.inputs import open_inputs
from sim.runs.run import write_run


def test_importing_it_loads_nothing():
    code = "import sys, sim; print(sorted({'numpy', 'pydantic', 'pymc', 'numba', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", sorted(set(sim.__all__) - {"__version__", "Case"}))
def test_the_examples_of_its_docstrings_run(name, tmp_path, monkeypatch):
    write_record(tmp_path)
    monkeypatch.chdir(tmp_path)
    # Of the variants of a case three are enough here, and no process of their own.
    monkeypatch.setattr("sim.robustness.sensitivity.list_variants", lambda laid: list_variants(laid)[:3])
    monkeypatch.setattr("sim.robustness.sensitivity.list_groups", lambda _: {})
    examples = doctest.DocTestParser().get_examples(getattr(sim, name).__doc__)
    assert examples, f"{name} has no example"
    known = {"sim": sim}
    for example in examples:
        exec(compile(example.source, name, "single"), known)  # noqa: S102 - our own docstrings


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sim.nothing  # noqa: B018
    assert set(sim.__all__) <= set(dir(sim))


@pytest.mark.parametrize("name", list_shipped_cases())
def test_a_case_written_as_text_reads_the_same(name):
    import tomllib

    file = sim.read_case(name).file
    assert CaseFile.model_validate(tomllib.loads(format_case_file(file))) == file


def test_a_changed_case_keeps_its_rules():
    case = sim.read_case("vietnam")
    first = case.claims[0]
    assert first not in case.without(claim=first.id).claims
    with pytest.raises(sim.InputError, match="has no row of 'nobody'"):
        case.without(source="nobody")
    bad = {"id": "x", "source": "nobody", "quantity": "killed", "published": "1970-01-01", "value": -4}
    with pytest.raises(sim.InputError, match="column value: '-4' is negative"):
        case.with_claims([bad])
    with pytest.raises(sim.InputError, match="'nobody' is not in \\[sources\\]"):
        case.with_claims([{**bad, "value": 4}])
    with pytest.raises(sim.InputError, match="bin_days"):
        case.with_settings(bin_days=0)


def test_a_run_of_a_changed_case_keeps_what_it_was_made_from(tmp_path):
    """Its inputs are the changed case, and can be read again."""
    case = sim.read_case("vietnam")
    changed = case.without(claim=case.claims[0].id).with_settings(bin_days=90)
    folder = write_run(sim.run(changed), tmp_path)
    with open_inputs(folder, read_manifest(folder)) as (again, _):
        assert again.file == changed.file
        assert [claim.id for claim in again.claims] == [claim.id for claim in changed.claims]


def test_a_day_may_be_text():
    with pytest.raises(sim.InputError, match="as_of: '1970/1/1' is not a day"):
        sim.run("vietnam", as_of="1970/1/1")
