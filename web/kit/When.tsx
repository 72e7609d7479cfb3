import { formatAgo, formatDate } from './format/date';
import styles from './When.module.css';

/** A date and how long ago that is. */
export function When({ date, otherwise }: { date: string | undefined; otherwise: string }) {
  return date === undefined ? (
    <span className={styles['ago']}>{otherwise}</span>
  ) : (
    <span className={styles['when']}>
      <time dateTime={date}>{formatDate(date)}</time>{' '}
      <span className={styles['ago']}>{formatAgo(date)}</span>
    </span>
  );
}
