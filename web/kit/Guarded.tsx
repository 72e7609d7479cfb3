import { Component, type ReactNode } from 'react';
import { forgetFailedFetches } from './fetched';
import { Failed } from './Loaded';
import { PanelFrame } from './Panel';

interface Props {
  /** What failed, where it stands as a panel of its own. */
  readonly title?: string;
  readonly children: ReactNode;
}

interface State {
  readonly error: unknown;
}

/** Keep a failure to the part of the page that failed. */
export class Guarded extends Component<Props, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error ?? new Error('unknown') };
  }

  readonly retry = (): void => {
    forgetFailedFetches();
    this.setState({ error: undefined });
  };

  override render(): ReactNode {
    if (this.state.error === undefined) {
      return this.props.children;
    }
    const failed = <Failed error={this.state.error} retry={this.retry} />;
    return this.props.title === undefined ? (
      failed
    ) : (
      <PanelFrame title={this.props.title}>{failed}</PanelFrame>
    );
  }
}
