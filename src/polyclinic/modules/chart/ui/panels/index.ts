export { AllergiesPanel } from './AllergiesPanel';
export { EncountersPanel } from './EncountersPanel';
export { ImmunizationsPanel } from './ImmunizationsPanel';
export { LabsPanel } from './LabsPanel';
export { MedicationsPanel } from './MedicationsPanel';
export { ProblemsPanel } from './ProblemsPanel';
export { VitalsPanel } from './VitalsPanel';
