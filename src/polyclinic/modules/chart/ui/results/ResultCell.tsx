import type { Observation } from '@web/fhir/types';
import { Mark } from '@web/kit/Mark';
import { Deviated } from '@web/kit/observation/Deviated';
import { Sourced } from '@web/kit/source/Sourced';
import { isBloodPressure, type Part, partsOf } from './kinds';
import styles from './Results.module.css';
import { partText, statusWord, systolicText } from './text';

interface PartCellProps {
  readonly observation: Observation;
  readonly part: Part;
  readonly name: string;
  /** What stands on the page where it is not the whole text of the part. */
  readonly shown?: string;
}

/** One value; its weight and arrow say whether it stands out, a click where it comes from. */
export function PartCell({ observation, part, name, shown }: PartCellProps) {
  const text = partText(part.value);
  const label = [part.label || name, text].join(' ');
  return (
    <Sourced resource={observation} value={part.value} label={label}>
      <Deviated value={part.value}>{shown ?? text}</Deviated>
    </Sourced>
  );
}

/** Systolic and diastolic as one figure; either may stand out by itself. */
function PressureCell({ observation, name }: { observation: Observation; name: string }) {
  const parts = partsOf(observation);
  return (
    <span className={styles['pressure']} dir="ltr">
      {parts.map((part, index) => (
        <span key={part.label}>
          {index > 0 ? '/' : ''}
          <PartCell
            observation={observation}
            part={part}
            name={name}
            {...(index === 0 ? { shown: systolicText(observation) } : {})}
          />
        </span>
      ))}
    </span>
  );
}

/** All values of an observation. */
export function ResultCell({ observation, name }: { observation: Observation; name: string }) {
  const status = statusWord(observation);
  return (
    <span className={styles['result']}>
      {isBloodPressure(observation) ? (
        <PressureCell observation={observation} name={name} />
      ) : (
        partsOf(observation).map((part) => (
          <span key={part.label} className={styles['part']}>
            {part.label === '' ? null : <span className={styles['label']}>{part.label}</span>}
            <PartCell observation={observation} part={part} name={name} />
          </span>
        ))
      )}
      {status === undefined ? null : <Mark tone="look">{status}</Mark>}
    </span>
  );
}
