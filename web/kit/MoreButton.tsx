import { UnstyledButton } from '@mantine/core';
import styles from './MoreButton.module.css';

interface MoreButtonProps {
  readonly onClick: () => void;
  readonly busy?: boolean;
  readonly children: string;
}

/** Asks for more of a list; it stands where the list ends. */
export function MoreButton({ onClick, busy = false, children }: MoreButtonProps) {
  return (
    <UnstyledButton
      className={styles['more'] ?? ''}
      aria-busy={busy}
      aria-disabled={busy}
      onClick={() => busy || onClick()}
    >
      {children}
    </UnstyledButton>
  );
}
