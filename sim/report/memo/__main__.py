"""Set a page of a memo in a confined process: by typst, or with a template that the user may have from a stranger."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from sim.contract.check import adapt
from sim.report.memo.blocks import Memo
from sim.report.memo.pages import set_page
from sim.system.confinement import serve


def answer(request: bytes) -> bytes:
    """Return the page that a request asks for (see `sim.report.memo.write_memo`)."""
    asked = json.loads(request)
    pictures = {name: base64.b64decode(content) for name, content in asked["pictures"].items()}
    templates = None if asked["templates"] is None else Path(asked["templates"])
    return set_page(adapt(Memo).validate_python(asked["memo"]), asked["format"], pictures, templates)


if __name__ == "__main__":
    serve(answer)
