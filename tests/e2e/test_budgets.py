"""What the first page costs, and how fast a chart of ten thousand values is."""

import pytest
from playwright.sync_api import expect

CHART = "/patients/browser-edge"
SCRIPT_KILOBYTES = 250
LCP_MS = 1500
SHIFT = 0.1
INTERACTION_MS = 200
TRIES = 3
SPIN_MS = 500
"""What ``SPIN`` takes where nothing else runs; times are granted more where it takes longer."""
SPIN = """
(() => {
  const begun = performance.now();
  let sum = 0;
  for (let at = 0; at < 2e7; at++) sum = (sum + at * at) % 7;
  return performance.now() - begun;
})()
"""

WATCH = """
window.vitals = { lcp: 0, shift: 0, interaction: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) vitals.lcp = entry.startTime;
}).observe({ type: 'largest-contentful-paint', buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) vitals.shift += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    vitals.interaction = Math.max(vitals.interaction, entry.duration);
}).observe({ type: 'event', buffered: true, durationThreshold: 16 });
"""


def measured(visit):
    """Open the chart anew and return its figures."""
    opened = visit().sign_in()
    opened.context.add_init_script(WATCH)
    page = opened.open(CHART)
    expect(page.get_by_role("table", name="Vital signs")).to_be_visible()
    vitals = page.evaluate("vitals")
    vitals["lcp"] /= slowness(page.evaluate(SPIN))
    opened.context.close()
    return vitals


def slowness(*spins):
    """Return how many times slower the machine is now than when nothing else runs."""
    return max(1, *(spin / SPIN_MS for spin in spins))


def test_the_first_page_fetches_little_javascript(visit):
    page = visit().open("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    sizes = page.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter(({ name }) => name.endsWith('.js')).map((entry) => entry.encodedBodySize)"
    )

    assert 50 < sum(sizes) / 1024 <= SCRIPT_KILOBYTES


@pytest.fixture
def best(visit):
    """Return the best of a few tries: the machine's other work is not the page's fault."""
    tries = [measured(visit) for _ in range(TRIES)]
    return {name: min(figures[name] for figures in tries) for name in tries[0]}


def test_a_chart_of_ten_thousand_values_shows_soon_and_stands_still(best, record_property):
    record_property("vitals", best)

    assert 0 < best["lcp"] <= LCP_MS
    assert best["shift"] <= SHIFT


def test_a_trend_of_thousands_opens_without_a_pause(visit):
    opened = visit().sign_in()
    opened.context.add_init_script(WATCH)
    page = opened.open(CHART)

    before = page.evaluate(SPIN)

    page.get_by_role("button", name="Show the trend of Heart rate").click()
    expect(page.locator("canvas")).to_be_visible()
    page.get_by_role("application").focus()
    for key in ("Home", "ArrowRight", "+", "+", "PageDown", "0"):
        page.keyboard.press(key)
    opened.settle()

    granted = INTERACTION_MS * slowness(before, page.evaluate(SPIN))
    assert page.evaluate("vitals.interaction") <= granted
