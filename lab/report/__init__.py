"""From a history and its verdict to something to look at: a page, a terminal, a CI server.

`page` gives one HTML file that needs no network, `junit` the XML that CI servers read, `table` what the terminal
shows. The JSON of a run is `Verdict.to_json`.
"""

from __future__ import annotations

from lab.report.html import page
from lab.report.junit import junit
from lab.report.terminal import table

__all__ = ["junit", "page", "table"]
