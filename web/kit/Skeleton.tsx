import styles from './Skeleton.module.css';

const WIDTHS = ['82%', '64%', '74%', '55%', '68%'];

/** Grey bars in the place of rows. */
export function SkeletonRows({ rows }: { rows: number }) {
  return (
    <div className={styles['rows']}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars have no identity
        <div key={row} className={styles['bar']} style={{ inlineSize: WIDTHS[row % 5] }} />
      ))}
    </div>
  );
}
