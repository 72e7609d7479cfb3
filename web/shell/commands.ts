import { useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { Command, Registry } from '@web/kit/module';
import { t } from './messages';
import { signOut } from './session';

function placeCommands({ places }: Registry): Command[] {
  return places.map((place) => ({
    key: `go-${place.key}`,
    title: () => t('command.goTo', { place: place.title() }),
    ...(place.keys === undefined ? {} : { keys: place.keys }),
    run: ({ go }) => go(place.path),
  }));
}

/** Bring a panel of the open chart into view and the keyboard to its title. */
function showPanel(key: string): void {
  const title = document.querySelector<HTMLElement>(`#panel-${CSS.escape(key)} h2`);
  title?.scrollIntoView({ block: 'start' });
  title?.focus({ preventScroll: true });
}

function panelCommands({ panels }: Registry): Command[] {
  return panels.map((panel) => ({
    key: `panel-${panel.key}`,
    title: () => t('command.panel', { panel: panel.title() }),
    inChart: true,
    // The palette gives the focus back when it closes; the title takes it after that.
    run: () => setTimeout(() => showPanel(panel.key), 250),
  }));
}

/** Return every command there is: those of the shell, of its places and panels, and of the modules. */
export function useCommands(registry: Registry, showKeys: () => void): readonly Command[] {
  const client = useQueryClient();
  const { toggleColorScheme } = useMantineColorScheme();
  return [
    ...registry.commands,
    ...panelCommands(registry),
    ...placeCommands(registry),
    { key: 'scheme', title: () => t('command.scheme'), run: toggleColorScheme },
    { key: 'keys', title: () => t('command.keys'), run: showKeys },
    { key: 'sign-out', title: () => t('command.signOut'), run: () => void signOut(client) },
  ];
}
