import { SegmentedControl } from '@mantine/core';
import { type ReactNode, useId, useState } from 'react';
import { DataTable } from '../DataTable';
import { t } from '../messages';
import type { Band } from './plot';
import type { Point } from './series';
import styles from './TrendChart.module.css';
import { TrendPlot } from './TrendPlot';

/** A value whose words are made when they are needed: of thousands few are ever read. */
export interface TrendPoint extends Point {
  readonly key: string;
  /** When, in words. */
  readonly when: () => string;
  /** The value in words and in its digits. */
  readonly text: () => string;
  /** The value as it stands in the table, with its origin. */
  readonly cell: () => ReactNode;
}

export interface TrendSeries {
  readonly label: string;
  /** Oldest first. */
  readonly points: readonly TrendPoint[];
  readonly continuous: boolean;
  readonly band: Band | undefined;
  /** The band in words. */
  readonly bandText: string | undefined;
}

export interface TrendChartProps {
  readonly title: string;
  readonly series: readonly TrendSeries[];
}

interface Row {
  readonly key: string;
  readonly at: number;
  readonly when: () => string;
  readonly cells: Readonly<Record<string, () => ReactNode>>;
}

/** Return one row for each moment, newest first, with a cell for each series. */
function rowsOf(series: readonly TrendSeries[]): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const { label, points } of series) {
    for (const point of points) {
      const row = rows.get(point.key);
      rows.set(point.key, {
        key: point.key,
        at: point.at,
        when: point.when,
        cells: { ...row?.cells, [label]: point.cell },
      });
    }
  }
  return [...rows.values()].sort((a, b) => b.at - a.at);
}

/** The course of one or a few values as a chart, and as the table behind it. */
export function TrendChart({ title, series }: TrendChartProps) {
  const [view, setView] = useState('chart');
  const points = series.flatMap((item) => item.points);
  const described = useId();
  if (points.length === 0) {
    return null;
  }
  const bands = new Set(series.flatMap((item) => item.bandText ?? []));
  return (
    <div className={styles['trend']}>
      <SegmentedControl
        size="xs"
        aria-label={t('trend.view')}
        value={view}
        onChange={setView}
        data={[
          { value: 'chart', label: t('trend.asChart') },
          { value: 'table', label: t('trend.asTable') },
        ]}
      />
      {view === 'chart' ? (
        <>
          <TrendPlot title={title} series={series} describedBy={described} />
          <p id={described} className={styles['note']}>
            {[...bands].map((range) => (
              <span key={range}>{t('trend.band', { range })}. </span>
            ))}
            {t('trend.keys')}
          </p>
        </>
      ) : (
        <DataTable
          caption={title}
          rows={rowsOf(series)}
          rowKey={(row) => row.key}
          columns={[
            { key: 'when', title: t('trend.when'), heading: true, cell: (row) => row.when() },
            ...series.map((item) => ({
              key: item.label,
              title: item.label,
              figure: true,
              cell: (row: Row) => row.cells[item.label]?.() ?? '–',
            })),
          ]}
        />
      )}
    </div>
  );
}
