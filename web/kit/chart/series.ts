/** Series of measured values, and which stretch of time of them is on screen. */

export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

const GAP = 4;

/** Return the usual time between two values, or undefined for fewer than three. */
export function usualInterval(points: readonly Point[]): number | undefined {
  const gaps = points
    .slice(1)
    .map((point, index) => point.at - (points[index]?.at ?? point.at))
    .sort((a, b) => a - b);
  return gaps.length < 2 ? undefined : gaps[Math.floor(gaps.length / 2)];
}

/** Return the indexes of the values before which nothing was measured for unusually long. */
export function gapsBefore(points: readonly Point[]): ReadonlySet<number> {
  const usual = usualInterval(points);
  const gaps = new Set<number>();
  for (let index = 1; usual !== undefined && index < points.length; index += 1) {
    const passed = (points[index]?.at ?? 0) - (points[index - 1]?.at ?? 0);
    if (passed > GAP * usual) {
      gaps.add(index);
    }
  }
  return gaps;
}

/** Return a stretch that holds all points with a little room at both ends. */
export function wholeStretch(points: readonly Point[]): Stretch {
  const times = points.map((point) => point.at);
  const from = times.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const to = times.reduce((most, at) => Math.max(most, at), Number.NEGATIVE_INFINITY);
  const room = Math.max((to - from) * 0.03, 43_200_000);
  return { from: from - room, to: to + room };
}

const HOUR = 3_600_000;

/** Return the stretch zoomed about its middle, never beyond the whole nor below an hour. */
export function zoomed(stretch: Stretch, whole: Stretch, factor: number): Stretch {
  const middle = (stretch.from + stretch.to) / 2;
  const half = Math.max(((stretch.to - stretch.from) * factor) / 2, HOUR / 2);
  return within({ from: middle - half, to: middle + half }, whole);
}

/** Return the stretch moved by a share of its own length. */
export function moved(stretch: Stretch, whole: Stretch, share: number): Stretch {
  const by = (stretch.to - stretch.from) * share;
  return within({ from: stretch.from + by, to: stretch.to + by }, whole);
}

function within(stretch: Stretch, whole: Stretch): Stretch {
  const length = Math.min(stretch.to - stretch.from, whole.to - whole.from);
  const from = Math.min(Math.max(stretch.from, whole.from), whole.to - length);
  return { from, to: from + length };
}

/** Return the stretch moved just so far that a moment is in it. */
export function showing(stretch: Stretch, whole: Stretch, at: number): Stretch {
  if (at >= stretch.from && at <= stretch.to) {
    return stretch;
  }
  const length = stretch.to - stretch.from;
  return within({ from: at - length / 2, to: at + length / 2 }, whole);
}
