// Says so where a page fails, and leaves the rest of the demo standing.

import { Component, type ReactNode } from 'react';

import { Button } from '../ui/Button';
import { Notice } from '../ui/Notice';

interface Props {
  children: ReactNode;
}

export class Broken extends Component<Props, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Notice kind="bad" title="This page has failed">
        {error.message} <Button onClick={() => location.reload()}>Load it anew</Button>
      </Notice>
    );
  }
}
