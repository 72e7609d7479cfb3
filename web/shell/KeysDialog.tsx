import { Modal, Switch } from '@mantine/core';
import { useReturnFocus } from '@web/kit/focus';
import type { Command } from '@web/kit/module';
import styles from './KeysDialog.module.css';
import { t } from './messages';

export interface KeysDialogProps {
  readonly commands: readonly Command[];
  readonly singleKeys: boolean;
  readonly onSingleKeys: (on: boolean) => void;
  readonly onClose: () => void;
}

interface KeyRow {
  readonly title: string;
  readonly keys: readonly string[];
}

function rowsOf(commands: readonly Command[]): readonly KeyRow[] {
  return [
    { title: t('keys.palette'), keys: ['Ctrl + K'] },
    { title: t('keys.help'), keys: ['?'] },
    { title: t('keys.close'), keys: ['Esc'] },
    ...commands.flatMap((command) =>
      command.keys === undefined ? [] : [{ title: command.title(), keys: command.keys.split(' ') }],
    ),
  ];
}

/** Every key there is, and the switch for those without Ctrl. */
export function KeysDialog({ commands, singleKeys, onSingleKeys, onClose }: KeysDialogProps) {
  useReturnFocus();
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('keys.title')}
      centered
      closeButtonProps={{ 'aria-label': t('dialog.close') }}
    >
      <dl className={styles['keys']}>
        {rowsOf(commands).map((row) => (
          <div key={row.title}>
            <dt>{row.title}</dt>
            <dd>
              {row.keys.map((key, index) => (
                <span key={key}>
                  {index > 0 ? ` ${t('keys.then')} ` : ''}
                  <kbd className={styles['key']}>{key}</kbd>
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <Switch
        checked={singleKeys}
        onChange={(event) => onSingleKeys(event.currentTarget.checked)}
        label={t('keys.single')}
        description={t('keys.single.next')}
      />
    </Modal>
  );
}
