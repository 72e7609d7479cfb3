import { Drawer } from '@mantine/core';
import type { ReactNode } from 'react';
import { useReturnFocus } from './focus';
import { t } from './messages';
import { PatientStrip } from './patient/PatientStrip';

export interface SidePanelProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A drawer beside the chart, which stays in sight; it says whose it is. */
export function SidePanel({ title, onClose, children }: SidePanelProps) {
  useReturnFocus();
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="min(620px, 100vw)"
      title={title}
      closeButtonProps={{ 'aria-label': t('dialog.close') }}
      overlayProps={{ backgroundOpacity: 0.25 }}
    >
      <PatientStrip />
      {children}
    </Drawer>
  );
}
