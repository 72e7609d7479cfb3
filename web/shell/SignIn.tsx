import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { FhirError } from '@web/fhir/outcome';
import { messageOfFault } from '@web/kit/fault';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import icon from './icon.svg';
import { t } from './messages';
import styles from './SignIn.module.css';
import { signIn } from './session';

function wordsFor(error: unknown): string {
  if (!(error instanceof FhirError)) {
    return messageOfFault(error);
  }
  if (error.fault === 'signed-out') {
    return t('signIn.wrong');
  }
  return error.fault === 'limited'
    ? t('signIn.limited', { count: error.retryAfter ?? 60 })
    : messageOfFault(error);
}

interface Credentials {
  readonly user: string;
  readonly password: string;
}

function useSignIn() {
  const client = useQueryClient();
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async ({ user, password }: Credentials): Promise<boolean> => {
    if (user === '' || password === '') {
      setProblem(t('signIn.missing'));
      return false;
    }
    setBusy(true);
    setProblem('');
    try {
      await signIn(client, user, password);
      return true;
    } catch (error) {
      setProblem(wordsFor(error));
      setBusy(false);
      return false;
    }
  };
  return { problem, busy, submit };
}

/** The only page anybody sees before the server knows them. */
export function SignIn({ again }: { again: boolean }) {
  const { problem, busy, submit } = useSignIn();
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = t('page.title', { page: t('signIn.title') });
  }, []);
  const onSubmit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const done = await submit({
      user: String(form.get('user') ?? '').trim(),
      password: String(form.get('password') ?? ''),
    });
    if (!done) {
      password.current?.focus();
      password.current?.select();
    }
  };
  return (
    <main className={styles['page']}>
      <form className={styles['card']} onSubmit={onSubmit} noValidate>
        <p className={styles['brand']}>
          <img src={icon} alt="" width={28} height={28} />
          {t('app.name')}
        </p>
        <h1 className={styles['title']}>{t('signIn.title')}</h1>
        {again ? <p role="status">{t('signIn.again')}</p> : null}
        <TextInput
          name="user"
          label={t('signIn.user')}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          size="md"
          data-autofocus
          autoFocus
        />
        <PasswordInput
          ref={password}
          name="password"
          label={t('signIn.password')}
          autoComplete="current-password"
          size="md"
          visibilityToggleButtonProps={{ 'aria-label': t('signIn.show'), tabIndex: 0 }}
        />
        <p role="alert" className={styles['problem']}>
          {problem}
        </p>
        <Button type="submit" size="md" fullWidth aria-disabled={busy}>
          {busy ? t('signIn.busy') : t('signIn.submit')}
        </Button>
        <p className={styles['note']}>{t('signIn.note')}</p>
      </form>
    </main>
  );
}
