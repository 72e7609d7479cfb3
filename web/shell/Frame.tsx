import { useQueryClient } from '@tanstack/react-query';
import { fetched, useFetchEarly } from '@web/kit/fetched';
import { type Command, RegistryContext } from '@web/kit/module';
import { Suspense, useContext, useState } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { useCommands } from './commands';
import styles from './Frame.module.css';
import { useKeys, useSingleKeys } from './keys';
import { t } from './messages';
import { useOnline } from './online';
import { NotFound, PageFrame } from './PageFrame';
import { Palette } from './Palette';
import { Rail } from './Rail';
import { type Session, signOut } from './session';

const KeysDialog = fetched(() => import('./KeysDialog'), 'KeysDialog');

/** The id of the patient whose chart an address belongs to. */
function patientIn(path: string): string | undefined {
  return /^\/patients\/([^/]+)/.exec(path)?.[1];
}

function useDialogs() {
  const [open, setOpen] = useState<'palette' | 'keys'>();
  return {
    open,
    close: () => setOpen(undefined),
    palette: () => setOpen('palette'),
    keys: () => setOpen('keys'),
  };
}

function Pages() {
  const { pages, places } = useContext(RegistryContext);
  const [first] = places;
  return (
    <Switch>
      {pages.map((page) => (
        <Route key={page.path} path={page.path}>
          {(params) => <PageFrame page={page} params={params as Record<string, string>} />}
        </Route>
      ))}
      {first === undefined ? null : (
        <Route path="/">
          <Redirect to={first.path} replace />
        </Route>
      )}
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

/** Rail, page and dialogs of whoever is signed in. */
export function Frame({ session }: { session: Session }) {
  useFetchEarly(KeysDialog);
  const registry = useContext(RegistryContext);
  const client = useQueryClient();
  const [path, go] = useLocation();
  const dialogs = useDialogs();
  const [singleKeys, setSingleKeys] = useSingleKeys();
  const [query, setQuery] = useState('');
  const online = useOnline();
  const patientId = patientIn(path);
  const commands = useCommands(registry, dialogs.keys).filter(
    (command) => command.inChart !== true || patientId !== undefined,
  );
  const run = (command: Command): void => command.run({ go, patientId });
  useKeys({
    singleKeys,
    commands,
    onPalette: dialogs.palette,
    onHelp: dialogs.keys,
    onCommand: run,
  });
  return (
    <div className={styles['frame']}>
      <a className={styles['skip']} href="#main">
        {t('app.skip')}
      </a>
      <Rail
        session={session}
        onSearch={dialogs.palette}
        onKeys={dialogs.keys}
        onSignOut={() => void signOut(client)}
      />
      <div className={styles['page']}>
        {online ? null : (
          <p role="status" className={styles['offline']}>
            {t('app.offline')}
          </p>
        )}
        <Pages />
      </div>
      {dialogs.open === 'palette' ? (
        <Palette
          query={query}
          onQuery={setQuery}
          commands={commands}
          onCommand={run}
          onGo={go}
          onClose={dialogs.close}
        />
      ) : null}
      <Suspense fallback={null}>
        {dialogs.open === 'keys' ? (
          <KeysDialog
            commands={commands}
            singleKeys={singleKeys}
            onSingleKeys={setSingleKeys}
            onClose={dialogs.close}
          />
        ) : null}
      </Suspense>
    </div>
  );
}
