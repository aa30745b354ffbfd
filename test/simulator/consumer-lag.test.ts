import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ConsumerLag, readLag } from '../../src/simulator/consumer-lag.ts';
import { eventually } from '../support/eventually.ts';

const PAGE = `# HELP processor_consumer_lag Stream entries not yet delivered
# TYPE processor_consumer_lag gauge
processor_consumer_lag 12
processor_consumer_lag_other 99
odograph_core_pending_entries 30
`;

describe('readLag', () => {
  it('adds what is not delivered and what is not acknowledged', () => {
    expect(readLag(PAGE)).toBe(42);
  });

  it('adds up labelled samples', () => {
    expect(readLag('processor_consumer_lag{stream="telemetry:{0}"} 3\nprocessor_consumer_lag{stream="b"} 4e1\n')).toBe(43);
  });

  it('knows nothing where the processor has no metrics', () => {
    expect(readLag('process_cpu_seconds_total 5\n')).toBeNull();
  });
});

describe('ConsumerLag', () => {
  it('asks for /metrics, and knows nothing once nobody answers', async () => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.end(PAGE);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const lag = new ConsumerLag(() => `http://127.0.0.1:${port}`);
    expect(lag.entries).toBeNull();
    lag.start();
    await eventually(() => lag.entries === 42);
    expect(paths[0]).toBe('/metrics');
    server.closeAllConnections();
    server.close();
    await eventually(() => lag.entries === null);
    lag.stop();
  });

  it('asks nobody where there is no address', () => {
    const lag = new ConsumerLag(() => null);
    lag.start();
    expect(lag.entries).toBeNull();
    lag.stop();
  });
});
