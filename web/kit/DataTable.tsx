import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react';
import styles from './DataTable.module.css';
import { MoreButton } from './MoreButton';
import { t } from './messages';

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** Figures stand at the end of their column. */
  readonly figure?: boolean;
  /** The column whose cell names the row. */
  readonly heading?: boolean;
}

export interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** How many rows are in the document at first, and with each "more". */
  readonly step?: number;
  /** Where there is no room for the columns, each row becomes a few lines under its heading. */
  readonly stacks?: boolean;
}

/** Whether the content is wider than its box: only then the box itself takes the focus. */
function useOverflow(): readonly [RefObject<HTMLElement | null>, boolean] {
  const box = useRef<HTMLElement>(null);
  const [overflows, setOverflows] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (element === null) {
      return undefined;
    }
    const measure = (): void => setOverflows(element.scrollWidth > element.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, overflows];
}

/** A table that puts a bounded number of rows into the document. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, rowKey, step = 50, stacks = false } = props;
  const [shown, setShown] = useState(step);
  const left = rows.length - shown;
  const [box, overflows] = useOverflow();
  return (
    <>
      <section
        ref={box}
        className={styles['scroll']}
        tabIndex={overflows ? 0 : undefined}
        aria-label={overflows ? t('table.scroll', { title: caption }) : undefined}
      >
        <table className={styles['table']} data-stacks={stacks}>
          <caption className="visually-hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.key} scope="col" data-figure={column.figure}>
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row) => (
              <tr key={rowKey(row)}>{columns.map((column) => cellOf(column, row))}</tr>
            ))}
          </tbody>
        </table>
      </section>
      {left > 0 ? (
        <MoreButton onClick={() => setShown(shown + step)}>
          {t('table.more', { count: Math.min(left, step) })}
        </MoreButton>
      ) : null}
    </>
  );
}

function cellOf<Row>(column: Column<Row>, row: Row): ReactNode {
  return column.heading ? (
    <th key={column.key} scope="row">
      {column.cell(row)}
    </th>
  ) : (
    <td key={column.key} data-figure={column.figure}>
      {column.cell(row)}
    </td>
  );
}
