import { t } from '../messages';
import styles from './Sparkline.module.css';
import { gapsBefore, type Point } from './series';

const WIDTH = 88;
const HEIGHT = 22;
const EDGE = 3;
/** More points than pixels draw nothing new. */
const MOST = 60;

export interface SparklineProps {
  /** Oldest first. */
  readonly points: readonly Point[];
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** The first and the last value in words. */
  readonly first: string;
  readonly last: string;
}

interface Scale {
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
}

function scaleOf(points: readonly Point[], low?: number, high?: number): Scale {
  const values = [...points.map((point) => point.value), low, high].filter(
    (value) => value !== undefined,
  );
  const least = Math.min(...values);
  const span = Math.max(...values) - least || 1;
  const start = points[0]?.at ?? 0;
  const time = (points.at(-1)?.at ?? 0) - start || 1;
  return {
    x: (at) => EDGE + ((at - start) / time) * (WIDTH - 2 * EDGE),
    y: (value) => HEIGHT - EDGE - ((value - least) / span) * (HEIGHT - 2 * EDGE),
  };
}

function pathOf(points: readonly Point[], { x, y }: Scale): string {
  const gaps = gapsBefore(points);
  return points
    .map(({ at, value }, index) => {
      const pen = index === 0 || gaps.has(index) ? 'M' : 'L';
      return `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    })
    .join('');
}

/** The course of a value at the height of a line of text. */
export function Sparkline({ points: all, low, high, first, last }: SparklineProps) {
  const points = all.slice(-MOST);
  const latest = points.at(-1);
  if (points.length < 2 || latest === undefined) {
    return null;
  }
  const scale = scaleOf(points, low, high);
  const top = high === undefined ? 0 : scale.y(high);
  const bottom = low === undefined ? HEIGHT : scale.y(low);
  return (
    <svg
      className={styles['spark']}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={t('spark.label', { count: points.length, first, last })}
    >
      {low === undefined && high === undefined ? null : (
        <rect
          className={styles['band']}
          x={0}
          y={top}
          width={WIDTH}
          height={Math.max(0, bottom - top)}
        />
      )}
      <path className={styles['line']} d={pathOf(points, scale)} />
      <circle
        className={styles['dot']}
        cx={scale.x(latest.at)}
        cy={scale.y(latest.value)}
        r={2.5}
      />
    </svg>
  );
}
