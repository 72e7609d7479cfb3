import type { ObservationValue, Resource } from '@web/fhir/types';
import type { ReactNode } from 'react';
import { t } from '../messages';
import { useOpenSource } from './SourceContext';
import styles from './Sourced.module.css';

interface SourcedProps {
  readonly resource: Resource;
  readonly value?: ObservationValue;
  /** What is shown, in words: "Heart rate 72/min". */
  readonly label: string;
  readonly children: ReactNode;
}

/** A fact that can say where it comes from. */
export function Sourced({ resource, value, label, children }: SourcedProps) {
  const open = useOpenSource();
  return (
    <button
      type="button"
      className={styles['fact']}
      aria-haspopup="dialog"
      onClick={(event) => open({ resource, value, label, anchor: event.currentTarget })}
    >
      {children}
      <span className="visually-hidden">{t('source.open', { label })}</span>
    </button>
  );
}
