import { ActionIcon, Button } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { type KeyboardEvent, Suspense, useMemo, useState } from 'react';
import { formatDay } from '../format/date';
import { Loading } from '../Loaded';
import { t } from '../messages';
import { PlotCanvas } from './canvas';
import { moved, type Stretch, showing, wholeStretch, zoomed } from './series';
import type { TrendSeries } from './TrendChart';
import styles from './TrendChart.module.css';

const HEIGHT = 260;
const ZOOM = 0.6;
const STEP = 0.5;

interface TrendPlotProps {
  readonly title: string;
  readonly series: readonly TrendSeries[];
  readonly describedBy: string;
}

/** Every moment at which something was measured, oldest first. */
function momentsOf(series: readonly TrendSeries[]): readonly number[] {
  return [...new Set(series.flatMap((item) => item.points.map((point) => point.at)))].sort(
    (a, b) => a - b,
  );
}

function readingAt(series: readonly TrendSeries[], at: number): string {
  const found = series.flatMap((item) => {
    const point = item.points.find((candidate) => candidate.at === at);
    return point === undefined ? [] : [{ label: item.label, point }];
  });
  const values = found.map(({ label, point }) =>
    series.length > 1 ? `${label} ${point.text()}` : point.text(),
  );
  return t('trend.reading', { when: found[0]?.point.when() ?? '', values: values.join(', ') });
}

/** Return the index that an arrow key leads to. */
function nextIndex(key: string, index: number | undefined, count: number): number | undefined {
  const last = count - 1;
  const from = index ?? (key === 'ArrowLeft' ? count : last - 1);
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: Math.max(0, from - 1),
    ArrowRight: Math.min(last, from + 1),
    Home: 0,
    End: last,
  };
  return targets[key];
}

function useView(series: readonly TrendSeries[]) {
  const moments = useMemo(() => momentsOf(series), [series]);
  const whole = useMemo(() => wholeStretch(series.flatMap((item) => item.points)), [series]);
  const [chosen, setStretch] = useState<Stretch>();
  const [index, setIndex] = useState<number>();
  const stretch = chosen ?? whole;
  const actions = {
    zoomIn: () => setStretch(zoomed(stretch, whole, ZOOM)),
    zoomOut: () => setStretch(zoomed(stretch, whole, 1 / ZOOM)),
    earlier: () => setStretch(moved(stretch, whole, -STEP)),
    later: () => setStretch(moved(stretch, whole, STEP)),
    all: () => setStretch(undefined),
    show: setStretch,
  };
  const stand = (next: number): void => {
    setIndex(next);
    setStretch(showing(stretch, whole, moments[next] ?? whole.to));
  };
  return { moments, stretch, index, actions, stand };
}

type View = ReturnType<typeof useView>;

function onKey(event: KeyboardEvent, view: View): void {
  const { actions, moments, index } = view;
  const byKey: Readonly<Record<string, () => void>> = {
    '+': actions.zoomIn,
    '=': actions.zoomIn,
    '-': actions.zoomOut,
    '0': actions.all,
    PageUp: actions.earlier,
    PageDown: actions.later,
  };
  const next = nextIndex(event.key, index, moments.length);
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (next !== undefined) {
    event.preventDefault();
    view.stand(next);
  } else if (byKey[event.key] !== undefined) {
    event.preventDefault();
    byKey[event.key]?.();
  }
}

const ICON = { size: 16, stroke: 1.5, 'aria-hidden': true } as const;

function Tools({ actions }: { actions: View['actions'] }) {
  const tools = [
    { label: t('trend.earlier'), run: actions.earlier, icon: <IconChevronLeft {...ICON} /> },
    { label: t('trend.later'), run: actions.later, icon: <IconChevronRight {...ICON} /> },
    { label: t('trend.zoomIn'), run: actions.zoomIn, icon: <IconZoomIn {...ICON} /> },
    { label: t('trend.zoomOut'), run: actions.zoomOut, icon: <IconZoomOut {...ICON} /> },
  ];
  return (
    <div className={styles['tools']}>
      {tools.map((tool) => (
        <ActionIcon key={tool.label} variant="default" aria-label={tool.label} onClick={tool.run}>
          {tool.icon}
        </ActionIcon>
      ))}
      <Button variant="default" size="compact-sm" onClick={actions.all}>
        {t('trend.all')}
      </Button>
    </div>
  );
}

/** The drawing with its tools; every move of the mouse has a key and a button. */
export function TrendPlot({ title, series, describedBy }: TrendPlotProps) {
  const view = useView(series);
  const { moments, stretch, index } = view;
  const at = index === undefined ? undefined : moments[index];
  const label = t('trend.chart', {
    title,
    count: moments.length,
    from: formatDay(moments[0] ?? 0),
    to: formatDay(moments.at(-1) ?? 0),
  });
  return (
    <>
      <ul className={styles['labels']}>
        {series.map((item, place) => (
          <li key={item.label} data-mark={place % 4}>
            {item.label}
          </li>
        ))}
      </ul>
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: the chart answers to keys */}
      <div
        role="application"
        aria-roledescription="chart"
        aria-label={label}
        aria-describedby={describedBy}
        tabIndex={0}
        className={styles['plot']}
        onKeyDown={(event) => onKey(event, view)}
      >
        <Suspense fallback={<Loading what={title} />}>
          <PlotCanvas
            series={series}
            stretch={stretch}
            cursorAt={at}
            height={HEIGHT}
            onStretch={view.actions.show}
          />
        </Suspense>
      </div>
      {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: the chart answers to keys */}
      <p className={styles['reading']} aria-live="polite">
        {readingAt(series, at ?? moments.at(-1) ?? 0)}
      </p>
      <Tools actions={view.actions} />
    </>
  );
}
