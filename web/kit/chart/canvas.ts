import { fetched } from '../fetched';

/** The drawing of a chart; its library is fetched with the first one. */
export const PlotCanvas = fetched(() => import('./PlotCanvas'), 'PlotCanvas');
