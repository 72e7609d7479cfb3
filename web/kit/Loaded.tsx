import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { FhirError } from '@web/fhir/outcome';
import { type ReactNode, useEffect, useState } from 'react';
import { isFaultRetryable, messageOfFault, nextStepOfFault } from './fault';
import styles from './Loaded.module.css';
import { t } from './messages';
import { SkeletonRows } from './Skeleton';

/** How long a page may stay still before its skeleton shows: a flash would only distract. */
const SKELETON_AFTER_MS = 150;

export interface Partial {
  readonly answered: number;
  readonly asked: number;
}

export interface LoadedProps<T> {
  /** What is being loaded, for a screen reader: "vitals". */
  readonly what: string;
  readonly data: T | undefined;
  readonly error: unknown;
  readonly retry?: (() => void) | undefined;
  readonly isEmpty?: (data: T) => boolean;
  readonly emptyText: ReactNode;
  /** How to add what is not there yet. */
  readonly emptyHint?: ReactNode;
  readonly partial?: Partial | undefined;
  readonly skeleton?: ReactNode;
  readonly children: (data: T) => ReactNode;
}

function isBlank(data: unknown): boolean {
  return Array.isArray(data) && data.length === 0;
}

/** One of the states a panel can be in: loading, failed, empty, or there, whole or in part. */
export function Loaded<T>(props: LoadedProps<T>): ReactNode {
  const { data, error, what, retry, partial, isEmpty = isBlank } = props;
  if (data === undefined) {
    return error ? (
      <Failed error={error} retry={retry} />
    ) : (
      <Loading what={what}>{props.skeleton}</Loading>
    );
  }
  const missing = partial !== undefined && partial.answered < partial.asked;
  return (
    <>
      {error ? <Failed error={error} retry={retry} compact /> : null}
      {missing ? (
        <p className={styles['partial']} role="status">
          {t('loaded.partial', { answered: partial.answered, asked: partial.asked })}
          {retry && <Retry retry={retry} />}
        </p>
      ) : null}
      {isEmpty(data) && !missing ? (
        <Empty text={props.emptyText} hint={props.emptyHint} />
      ) : (
        props.children(data)
      )}
    </>
  );
}

function Retry({ retry }: { retry: () => void }) {
  return (
    <Button
      variant="default"
      size="compact-sm"
      leftSection={<IconRefresh size={16} stroke={1.5} aria-hidden />}
      onClick={retry}
    >
      {t('loaded.retry')}
    </Button>
  );
}

/** The skeleton of the real layout, once waiting is noticeable. */
export function Loading({ what, children }: { what: string; children?: ReactNode }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" aria-busy className={styles['loading']} data-late={late}>
      <span className="visually-hidden">{late ? t('loaded.loading', { what }) : ''}</span>
      <div aria-hidden>{children ?? <SkeletonRows rows={3} />}</div>
    </div>
  );
}

export function Empty({ text, hint }: { text: ReactNode; hint?: ReactNode }) {
  return (
    <div className={styles['empty']}>
      <p>{text}</p>
      {hint ? <p className={styles['hint']}>{hint}</p> : null}
    </div>
  );
}

interface FailedProps {
  readonly error: unknown;
  readonly retry?: (() => void) | undefined;
  /** What was loaded before stays on screen below. */
  readonly compact?: boolean;
}

/** What happened, what was kept, and the next step. */
export function Failed({ error, retry, compact = false }: FailedProps) {
  const detail = error instanceof FhirError && error.fault === 'refused' ? error.message : '';
  const next = compact ? t('loaded.stale') : nextStepOfFault(error);
  return (
    <div className={compact ? styles['failedCompact'] : styles['failed']} role="alert">
      <p className={styles['what']}>{messageOfFault(error)}</p>
      <p className={styles['hint']}>{[next, detail].filter(Boolean).join(' ')}</p>
      {retry && isFaultRetryable(error) ? <Retry retry={retry} /> : null}
    </div>
  );
}
