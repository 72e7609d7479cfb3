import { type ReactNode, useId } from 'react';
import styles from './Panel.module.css';

export interface PanelProps {
  readonly title: string;
  /** The one line a person came for. */
  readonly answer?: ReactNode;
  /** How many things the panel lists. */
  readonly count?: string | undefined;
  readonly actions?: ReactNode;
  /** What was left out, where it was looked for, how things were rounded. */
  readonly footnotes?: readonly string[];
  readonly children?: ReactNode;
}

/** A titled part of a page that opens with its answer. */
export function PanelFrame(props: PanelProps) {
  const heading = useId();
  const { title, answer, count, actions, footnotes = [], children } = props;
  return (
    <section className={styles['panel']} aria-labelledby={heading}>
      <header className={styles['head']}>
        <h2 id={heading} className={styles['title']} tabIndex={-1}>
          {title}
        </h2>
        {count === undefined ? null : <span className={styles['count']}>{count}</span>}
        {actions ? <div className={styles['actions']}>{actions}</div> : null}
      </header>
      {answer ? <p className={styles['answer']}>{answer}</p> : null}
      {children}
      {footnotes.map((note) => (
        <p key={note} className={styles['footnote']}>
          {note}
        </p>
      ))}
    </section>
  );
}
