/** What the chart adds to the interface. */

import { IconUsers } from '@tabler/icons-react';
import { fetched } from '@web/kit/fetched';
import type { Finder, Page, Panel, Place } from '@web/kit/module';
import { t } from './messages';
import { PATIENT_FINDER } from './patients/finder';

const loadPanels = () => import('./panels');

/** The panels are fetched beside the page, not after it. */
const loadChart = () => {
  void loadPanels();
  return import('./ChartPage');
};

export const places: readonly Place[] = [
  {
    key: 'patients',
    title: () => t('patients.title'),
    icon: IconUsers,
    path: '/patients',
    keys: 'g p',
    order: 20,
  },
];

export const pages: readonly Page[] = [
  {
    path: '/patients',
    title: () => t('patients.title'),
    component: fetched(() => import('./patients/PatientsPage'), 'PatientsPage'),
  },
  {
    path: '/patients/:patientId',
    title: () => t('chart.title'),
    component: fetched(loadChart, 'ChartPage'),
  },
];

export const panels: readonly Panel[] = [
  {
    key: 'problems',
    slot: 'chart.story',
    order: 10,
    title: () => t('problems.title'),
    component: fetched(loadPanels, 'ProblemsPanel'),
  },
  {
    key: 'encounters',
    slot: 'chart.story',
    order: 20,
    title: () => t('encounters.title'),
    component: fetched(loadPanels, 'EncountersPanel'),
  },
  {
    key: 'immunizations',
    slot: 'chart.story',
    order: 30,
    title: () => t('immunizations.title'),
    component: fetched(loadPanels, 'ImmunizationsPanel'),
  },
  {
    key: 'allergies',
    slot: 'chart.now',
    order: 10,
    title: () => t('allergies.title'),
    component: fetched(loadPanels, 'AllergiesPanel'),
  },
  {
    key: 'medications',
    slot: 'chart.now',
    order: 20,
    title: () => t('medications.title'),
    component: fetched(loadPanels, 'MedicationsPanel'),
  },
  {
    key: 'vitals',
    slot: 'chart.now',
    order: 30,
    title: () => t('vitals.title'),
    component: fetched(loadPanels, 'VitalsPanel'),
  },
  {
    key: 'labs',
    slot: 'chart.now',
    order: 40,
    title: () => t('labs.title'),
    component: fetched(loadPanels, 'LabsPanel'),
  },
];

export const finders: readonly Finder[] = [PATIENT_FINDER];
