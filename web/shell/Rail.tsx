import { Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { IconKeyboard, IconLogout, IconSearch, IconUserCircle } from '@tabler/icons-react';
import { RegistryContext } from '@web/kit/module';
import { type ReactNode, useContext } from 'react';
import { Link, useLocation } from 'wouter';
import icon from './icon.svg';
import { t } from './messages';
import styles from './Rail.module.css';
import type { Session } from './session';

const ICON = { size: 20, stroke: 1.5, 'aria-hidden': true } as const;

export interface RailProps {
  readonly session: Session;
  readonly onSearch: () => void;
  readonly onKeys: () => void;
  readonly onSignOut: () => void;
}

const SCHEMES = ['auto', 'light', 'dark'] as const;

function AccountMenu({ session, onSignOut }: Pick<RailProps, 'session' | 'onSignOut'>) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="right-end" withinPortal>
      <Menu.Target>
        <UnstyledButton
          className={styles['item']}
          aria-label={t('rail.account', { name: session.display })}
        >
          <IconUserCircle {...ICON} />
          <span className={styles['word']}>{session.display}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.display}, {session.roles.join(', ')}
        </Menu.Label>
        <Menu.Label>{t('account.scheme')}</Menu.Label>
        {SCHEMES.map((scheme) => (
          <Menu.Item
            key={scheme}
            role="menuitemradio"
            aria-checked={colorScheme === scheme}
            className={styles['choice'] ?? ''}
            onClick={() => setColorScheme(scheme)}
          >
            {t(`account.scheme.${scheme}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout {...ICON} />} onClick={onSignOut}>
          {t('account.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Places() {
  const { places } = useContext(RegistryContext);
  const [path] = useLocation();
  return (
    <ul className={styles['places']}>
      {places.map((place) => (
        <li key={place.key}>
          <Link
            href={place.path}
            className={styles['item'] ?? ''}
            aria-current={isIn(path, place.path) ? 'page' : undefined}
          >
            <place.icon {...ICON} />
            <span className={styles['word']}>{place.title()}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function isIn(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

interface ToolProps {
  readonly label: string;
  readonly hint?: string;
  readonly icon: ReactNode;
  readonly onClick: () => void;
}

function Tool({ label, hint, icon: drawing, onClick }: ToolProps) {
  return (
    <UnstyledButton className={styles['item']} onClick={onClick}>
      {drawing}
      <span className={styles['word']}>{label}</span>
      {hint === undefined ? null : (
        <kbd className={styles['hint']} aria-hidden>
          {hint}
        </kbd>
      )}
    </UnstyledButton>
  );
}

/** The places of the interface, the search, and the account. */
export function Rail({ session, onSearch, onKeys, onSignOut }: RailProps) {
  return (
    <nav className={styles['rail']} aria-label={t('rail.label')}>
      <p className={styles['brand']}>
        <img src={icon} alt="" width={24} height={24} />
        <span className={styles['word']}>{t('app.name')}</span>
      </p>
      <Tool
        label={t('rail.search')}
        hint="Ctrl K"
        icon={<IconSearch {...ICON} />}
        onClick={onSearch}
      />
      <Places />
      <div className={styles['foot']}>
        <Tool label={t('rail.keys')} hint="?" icon={<IconKeyboard {...ICON} />} onClick={onKeys} />
        <AccountMenu session={session} onSignOut={onSignOut} />
      </div>
    </nav>
  );
}
