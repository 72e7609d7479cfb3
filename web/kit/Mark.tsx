import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import styles from './Mark.module.css';

export type MarkTone = 'neutral' | 'act' | 'look' | 'info';

/** A word in a frame; its colour says how soon to act, never what the word says. */
export function Mark({ tone = 'neutral', children }: { tone?: MarkTone; children: ReactNode }) {
  return (
    <span className={styles['mark']} data-tone={tone}>
      {tone === 'act' ? <IconAlertTriangle size={13} stroke={2} aria-hidden /> : null}
      {children}
    </span>
  );
}
