import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../src/shared/metrics-text.ts';
import { ServerMetrics, lagIn } from '../../src/simulator/server-metrics.ts';
import { eventually } from '../support/eventually.ts';

const PAGE = `# HELP processor_consumer_lag Stream entries not yet delivered
# TYPE processor_consumer_lag gauge
processor_consumer_lag 12
processor_consumer_lag_other 99
odograph_core_pending_entries 30
process_resident_memory_bytes 104857600
`;

describe('lagIn', () => {
  it('adds what is not delivered and what is not acknowledged', () => {
    expect(lagIn(parseMetrics(PAGE))).toBe(42);
  });

  it('adds up labelled samples', () => {
    const page = 'processor_consumer_lag{stream="telemetry:{0}"} 3\nprocessor_consumer_lag{stream="b"} 4e1\n';
    expect(lagIn(parseMetrics(page))).toBe(43);
  });

  it('knows nothing where the processor has no metrics', () => {
    expect(lagIn(parseMetrics('process_cpu_seconds_total 5\n'))).toBeNull();
  });
});

describe('ServerMetrics', () => {
  it('asks for /metrics, and knows nothing once nobody answers', async () => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.end(PAGE);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const metrics = new ServerMetrics(() => `http://127.0.0.1:${port}`);
    expect(metrics.lag).toBeNull();
    metrics.start();
    await eventually(() => metrics.lag === 42);
    expect(paths[0]).toBe('/metrics');
    expect(metrics.peakMemoryBytes).toBe(104_857_600);
    server.closeAllConnections();
    server.close();
    await eventually(() => metrics.lag === null);
    metrics.stop();
  });

  it('asks nobody where there is no address', () => {
    const metrics = new ServerMetrics(() => null);
    metrics.start();
    expect(metrics.lag).toBeNull();
    metrics.stop();
  });
});
