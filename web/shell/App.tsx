import { DirectionProvider, MantineProvider } from '@mantine/core';
import { QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { onSignedOut } from '@web/fhir/client';
import { Guarded } from '@web/kit/Guarded';
import { directionOf, formattingLocale, useLocale } from '@web/kit/i18n/locale';
import { Failed, Loading } from '@web/kit/Loaded';
import { RegistryContext } from '@web/kit/module';
import { cssVariables, theme } from '@web/kit/theme';
import { useContext, useEffect, useLayoutEffect, useState } from 'react';
import { matchRoute, useLocation, useRouter } from 'wouter';
import { Frame } from './Frame';
import { t } from './messages';
import { nonce } from './nonce';
import { createQueryClient } from './query-client';
import { REGISTRY } from './registry';
import { SignIn } from './SignIn';
import { forget, useSession } from './session';

/** Fetch the code of the page at this address while the server is asked who is signed in. */
function useEarlyFetch(): void {
  const { parser } = useRouter();
  const [path] = useLocation();
  const { pages } = useContext(RegistryContext);
  useEffect(() => {
    const page = pages.find((candidate) => matchRoute(parser, candidate.path, path)[0]);
    page?.component.fetch();
  }, [parser, path, pages]);
}

/** The page of whoever is signed in; else the sign-in page, at the same address. */
function SignedIn() {
  useEarlyFetch();
  const { data: session, error, refetch } = useSession();
  const client = useQueryClient();
  const [wasSignedIn, setWasSignedIn] = useState(false);
  useEffect(
    () =>
      onSignedOut(() => {
        setWasSignedIn(true);
        forget(client);
      }),
    [client],
  );
  if (session !== undefined) {
    return <Frame session={session} />;
  }
  if (error?.fault === 'signed-out') {
    return <SignIn again={wasSignedIn} />;
  }
  return error === null ? (
    <Loading what={t('app.loading')} />
  ) : (
    <main>
      <Failed error={error} retry={() => void refetch()} />
    </main>
  );
}

/** Everything that the whole interface stands in. */
export function App() {
  const locale = useLocale();
  const direction = directionOf(locale);
  const [client] = useState(createQueryClient);
  useLayoutEffect(() => {
    document.documentElement.lang = formattingLocale();
    document.documentElement.dir = direction;
  }, [direction]);
  return (
    <QueryClientProvider client={client}>
      <DirectionProvider key={locale} initialDirection={direction} detectDirection={false}>
        <MantineProvider
          theme={theme}
          cssVariablesResolver={cssVariables}
          defaultColorScheme="auto"
          getStyleNonce={nonce}
        >
          <RegistryContext value={REGISTRY}>
            <Guarded>
              <SignedIn />
            </Guarded>
          </RegistryContext>
        </MantineProvider>
      </DirectionProvider>
    </QueryClientProvider>
  );
}
