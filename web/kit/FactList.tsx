import { type ReactNode, useState } from 'react';
import styles from './FactList.module.css';
import { MoreButton } from './MoreButton';
import { t } from './messages';

export interface Fact {
  readonly key: string;
  readonly title: ReactNode;
  /** Words that qualify it, such as "unconfirmed". */
  readonly marks?: ReactNode;
  readonly detail?: ReactNode;
  readonly when?: ReactNode;
  /** No longer true, or too old to rely on. */
  readonly faded?: boolean;
}

/** So short that it finds room beside the title. */
function isShort(detail: ReactNode): boolean {
  return typeof detail === 'string' && detail.length <= 28;
}

function FactRow({ fact }: { fact: Fact }) {
  return (
    <li className={styles['row']} data-faded={fact.faded}>
      <div className={styles['main']}>
        <span className={styles['title']}>
          <bdi>{fact.title}</bdi>
        </span>
        {fact.marks}
        {fact.detail ? (
          <p className={styles['detail']} data-short={isShort(fact.detail)}>
            <bdi>{fact.detail}</bdi>
          </p>
        ) : null}
      </div>
      {fact.when ? <span className={styles['when']}>{fact.when}</span> : null}
    </li>
  );
}

export interface FactListProps {
  readonly facts: readonly Fact[];
  /** How many rows stand before somebody asks for more. */
  readonly first?: number;
}

const STEP = 50;

/** Rows of facts, the first few of them at once. */
export function FactList({ facts, first = 6 }: FactListProps) {
  const [shown, setShown] = useState(first);
  const left = facts.length - shown;
  return (
    <>
      <ul>
        {facts.slice(0, shown).map((fact) => (
          <FactRow key={fact.key} fact={fact} />
        ))}
      </ul>
      {left > 0 ? (
        <MoreButton onClick={() => setShown(shown + STEP)}>
          {left <= STEP
            ? t('panel.showAll', { count: facts.length })
            : t('table.more', { count: STEP })}
        </MoreButton>
      ) : null}
      {left <= 0 && shown > first ? (
        <MoreButton onClick={() => setShown(first)}>{t('panel.showFewer')}</MoreButton>
      ) : null}
    </>
  );
}

export interface FoldedProps {
  readonly title: string;
  readonly facts: readonly Fact[];
}

/** Facts that matter less, behind their title; only drawn once they are asked for. */
export function Folded({ title, facts }: FoldedProps) {
  const [open, setOpen] = useState(false);
  return facts.length === 0 ? null : (
    <details
      className={styles['folded']}
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>{title}</summary>
      {open ? <FactList facts={facts} first={STEP} /> : null}
    </details>
  );
}
