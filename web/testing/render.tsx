import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type RenderResult, render } from '@testing-library/react';
import { PatientScope } from '@web/fhir/queries';
import { SourceProvider } from '@web/kit/source/SourceContext';
import { theme } from '@web/kit/theme';
import axe from 'axe-core';
import type { ReactNode } from 'react';

/** Show something as the shell would: with its theme, its cache, and nothing tried twice. */
export function show(children: ReactNode): RenderResult {
  const client = new QueryClient({
    defaultOptions: { queries: { retry: false, structuralSharing: false, networkMode: 'always' } },
  });
  return render(
    <QueryClientProvider client={client}>
      <MantineProvider theme={theme} env="test">
        {children}
      </MantineProvider>
    </QueryClientProvider>,
  );
}

/** Show a part of the chart of a patient. */
export function showInChart(children: ReactNode, patientId = 'p1'): RenderResult {
  return show(
    <PatientScope id={patientId}>
      <SourceProvider>{children}</SourceProvider>
    </PatientScope>,
  );
}

/** Return what axe finds wrong; colours need a browser and are checked there. */
export async function violations(element: Element): Promise<readonly string[]> {
  const result = await axe.run(element, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  });
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
}
