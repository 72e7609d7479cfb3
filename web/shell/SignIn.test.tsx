import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { show, violations } from '@web/testing/render';
import { at, serve } from '@web/testing/server';
import { expect, test } from 'vitest';
import { SignIn } from './SignIn';

async function signInAs(user: string, password: string): Promise<void> {
  if (user !== '') {
    await userEvent.type(screen.getByLabelText('User name'), user);
  }
  if (password !== '') {
    await userEvent.type(screen.getByLabelText('Password'), password);
  }
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
}

function answering(status: number, headers = {}) {
  return serve(at('/auth/sign-in', { status, body: { user: 'doctor' }, headers }, 'POST'));
}

test('the user name and the password are sent', async () => {
  const server = answering(200);
  show(<SignIn again={false} />);

  await signInAs(' doctor ', 'secret word ');

  expect(server.asked[0]?.body).toEqual({ user: 'doctor', password: 'secret word ' });
});

test('what another person had opened is forgotten', async () => {
  answering(200);
  sessionStorage.setItem('polyclinic.recent-patients', '["p1"]');
  show(<SignIn again={false} />);

  await signInAs('doctor', 'secret');

  expect(sessionStorage).toHaveLength(0);
});

test('a wrong password is told, and the password is selected to be typed again', async () => {
  answering(401);
  show(<SignIn again={false} />);

  await signInAs('doctor', 'wrong');

  expect((await screen.findByRole('alert')).textContent).toContain('wrong');
  expect(document.activeElement).toBe(screen.getByLabelText('Password'));
});

test('too many attempts say how long to wait', async () => {
  answering(429, { 'Retry-After': '30' });
  show(<SignIn again={false} />);

  await signInAs('doctor', 'wrong');

  expect((await screen.findByRole('alert')).textContent).toContain('30 seconds');
});

test('an empty form asks for both and sends nothing', async () => {
  const server = answering(200);
  show(<SignIn again={false} />);

  await signInAs('', '');

  expect((await screen.findByRole('alert')).textContent).toContain('Enter your user name');
  expect(server.asked).toHaveLength(0);
});

test('after a session has ended it says so', () => {
  show(<SignIn again />);

  expect(screen.getByRole('status').textContent).toContain('go on where you were');
});

test('axe finds nothing', async () => {
  const { container } = show(<SignIn again />);

  expect(await violations(container)).toEqual([]);
});
