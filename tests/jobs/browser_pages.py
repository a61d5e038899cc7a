"""A real browser and a store whose texts are hostile, for the tests of pages."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from job_stores import WordService, null_job

from jobs.main import run_command
from pipelines.annotate import run_annotation

REPOSITORY = Path(__file__).resolve().parents[2]
PHONE, DESK = (390, 844), (1280, 900)

SCRIPT = "<script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">"
OVERRIDE = "safe \u202egnp.exe\u202c end"
LONG_WORD = "N" * 400 + "acetyl" * 60

_DOCUMENTS: list[dict[str, Any]] = [
    {"id": "plain", "title": "CD28 binds IL-2", "abstract": "CD28 binds IL-2 in T-cells. No CD28 was seen."},
    {"id": "hostile", "title": f"CD28 {SCRIPT}", "abstract": f"{OVERRIDE} CD28 {SCRIPT} {LONG_WORD}"},
    {
        "id": "arabic",
        "title": "CD28 \u0627\u0644\u062e\u0644\u064a\u0629",
        "abstract": "\u0627\u0644\u062e\u0644\u064a\u0629 CD28 \u062a\u0631\u062a\u0628\u0637",
    },
    {"id": LONG_WORD[:300], "title": LONG_WORD, "abstract": "CD28 binds."},
]


def hostile_store(folder: Path) -> Path:
    """A store with a snapshot and links of a few documents that try what a dump can try."""
    inputs = folder / "dump.jsonl"
    rows = [one | {"journal": f"Journal {SCRIPT} {OVERRIDE}", "year": "2024"} for one in _DOCUMENTS]
    inputs.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    store = folder / "store"
    run_annotation(null_job(store, inputs, fingerprint="words"), service_factory=WordService)
    names = folder / "names.csv"
    names.write_text(f'id,name,synonyms\nMESH:D1,CD28 {LONG_WORD},CD28\nT:2,"{SCRIPT[:40]}",binds\n', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIONER_CACHE", str(folder / "cache"))
        for words in (
            ("compact", "--store", store, "--quiet"),
            ("vocabulary", "build", names, "--name", "mine", "--licence", "CC0"),
            ("link", "--store", store, "--vocabulary", "mine", "--quiet"),
        ):
            assert run_command([str(one) for one in words]) == 0
    return store


@contextmanager
def served(store: Path) -> Iterator[str]:
    """`bioner serve` at work: the address that it printed."""
    words = [sys.executable, "-m", "jobs.main", "serve", "--store", str(store)]
    process = subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stderr is not None
    try:
        line = next(one for one in process.stderr if "token=" in one)
        found = re.search(r"http://\S+", line)
        assert found is not None
        yield found[0]
    finally:
        process.kill()
        process.wait()


@contextmanager
def chromium() -> Iterator[Any]:
    """A Chromium that is installed, driven by playwright; skips where one of the two is not."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install '.[browser]'")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"needs a browser: none of {', '.join(names)} is installed")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


CONTRASTS = """() => {
  const brush = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const channels = colour => {
    brush.clearRect(0, 0, 1, 1); brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1);
    return Array.from(brush.getImageData(0, 0, 1, 1).data);
  };
  const light = colour => {
    const [r, g, b] = channels(colour).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (channels(colour)[3] === 255) return colour;
    }
    return 'Canvas';
  };
  const ratio = (first, second) => {
    const [low, high] = [light(first), light(second)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  const note = (kind, element, colour) =>
    found.push([kind, ratio(colour, behind(element)), element.outerHTML.slice(0, 80)]);
  for (const element of document.querySelectorAll('body *')) {
    if (!element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const words = Array.from(element.childNodes).some(one => one.nodeType === 3 && one.data.trim());
    if (words || element.matches('input, textarea')) note('text', element, style.color);
    if (element.placeholder) note('text', element, getComputedStyle(element, '::placeholder').color);
    if (element.dataset.t) note('text', element, getComputedStyle(element, '::before').color);
    if (element.matches('mark')) note('line', element, style.borderTopColor);
    if (element.matches('input, textarea, button')) note('line', element.parentElement, style.borderTopColor);
  }
  return found;
}"""
"""What is read and what is seen, each with its contrast to what is behind it, as WCAG counts it."""
