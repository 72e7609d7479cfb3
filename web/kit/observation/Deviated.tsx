import type { ObservationValue } from '@web/fhir/types';
import type { ReactNode } from 'react';
import { conceptText } from '../format/concept';
import { formatUnit } from '../format/quantity';
import { Mark } from '../Mark';
import { t } from '../messages';
import styles from './Deviated.module.css';
import { attentionOf, type Deviation, deviationOf, reportedAttention } from './range';

const ARROWS = { above: '↑', below: '↓' } as const;

/** The arrow and how far a value lies outside its range; nothing for a value inside. */
export function DeviationArrow({ deviation }: { deviation: Deviation | undefined }) {
  if (deviation === undefined || deviation.direction === 'inside') {
    return null;
  }
  return (
    <span className={styles['arrow']} aria-hidden>
      {ARROWS[deviation.direction]}
      {deviation.amount}
    </span>
  );
}

/** Return "2.0 mmol/L above the range", or nothing where the value does not stand out. */
export function deviationText(value: ObservationValue): string | undefined {
  const deviation = deviationOf(value);
  if (deviation === undefined || deviation.direction === 'inside') {
    return undefined;
  }
  const unit = value.valueQuantity && formatUnit(value.valueQuantity);
  const amount = [deviation.amount, unit].filter(Boolean).join(' ');
  return t(`deviation.${deviation.direction}`, { amount }).trim();
}

/** A value whose weight, arrow and words say whether it stands out. */
export function Deviated({ value, children }: { value: ObservationValue; children: ReactNode }) {
  const attention = attentionOf(value);
  const reported = reportedAttention(value);
  const words = deviationText(value);
  return (
    <span className={styles['value']} data-attention={attention}>
      {children}
      <DeviationArrow deviation={deviationOf(value)} />
      {words === undefined ? null : <span className="visually-hidden">{words}</span>}
      {reported === undefined ? null : (
        <Mark tone={reported === 'critical' ? 'act' : 'look'}>
          {(value.interpretation ?? []).map(conceptText).filter(Boolean).join(', ')}
        </Mark>
      )}
    </span>
  );
}
