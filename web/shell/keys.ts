/** Keys that work everywhere, and the setting that switches the single ones off (WCAG 2.2, 2.1.4). */

import type { Command } from '@web/kit/module';
import { useEffect, useRef, useState } from 'react';

const SETTING = 'polyclinic.single-keys';
const SEQUENCE_MS = 1200;

export function useSingleKeys(): readonly [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => localStorage.getItem(SETTING) !== 'off');
  const change = (next: boolean): void => {
    localStorage.setItem(SETTING, next ? 'on' : 'off');
    setOn(next);
  };
  return [on, change];
}

/** Whether a key pressed here belongs to what has the focus. */
function isTaken(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest(
      'input, textarea, select, [contenteditable="true"], [role="application"], [role="dialog"], [role="menu"]',
    ) !== null
  );
}

export interface KeySettings {
  readonly singleKeys: boolean;
  readonly commands: readonly Command[];
  readonly onPalette: () => void;
  readonly onHelp: () => void;
  readonly onCommand: (command: Command) => void;
}

/** Return the command for a pressed key after those pressed just before. */
function matching(commands: readonly Command[], pressed: string): Command | undefined {
  return commands.find((command) => command.keys === pressed);
}

function isPalette(event: KeyboardEvent): boolean {
  const chorded = event.ctrlKey || event.metaKey;
  return chorded && !event.altKey && event.key.toLowerCase() === 'k';
}

/** Whether a key without Ctrl, Alt or Meta is free for a shortcut. */
function isSingle(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.metaKey && !event.altKey && !isTaken(event.target);
}

function handler(settings: () => KeySettings) {
  let pressed = '';
  let last = 0;
  const actionFor = (event: KeyboardEvent): (() => void) | undefined => {
    const { singleKeys, commands, onPalette, onHelp, onCommand } = settings();
    if (isPalette(event)) {
      return onPalette;
    }
    if (!singleKeys || !isSingle(event)) {
      return undefined;
    }
    pressed = event.timeStamp - last < SEQUENCE_MS ? `${pressed} ${event.key}` : event.key;
    last = event.timeStamp;
    const command = matching(commands, pressed);
    return event.key === '?' ? onHelp : command && (() => onCommand(command));
  };
  return (event: KeyboardEvent): void => {
    const action = actionFor(event);
    if (action !== undefined) {
      pressed = '';
      event.preventDefault();
      action();
    }
  };
}

export function useKeys(settings: KeySettings): void {
  const latest = useRef(settings);
  useEffect(() => {
    latest.current = settings;
  });
  useEffect(() => {
    const onKey = handler(() => latest.current);
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
