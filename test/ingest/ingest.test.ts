import { expect, it } from 'vitest';
import { parseListeners } from '../../src/config/listeners.ts';
import { listenerProblems } from '../../src/ingest/ingest.ts';

function problemsOf(text: string): string[] {
  return listenerProblems({ INGEST_LISTENERS: parseListeners(text)! });
}

it('a listener of a protocol that there is has no problem', () => {
  expect(problemsOf('teltonika:1,teltonika+tls:2,teltonika+udp:1,gt06:3,gt06+tls:4')).toEqual([]);
});

it('a listener of an unknown protocol, or of one that has no UDP form, is a problem', () => {
  expect(problemsOf('teltonica:1,gt06+udp:2,gt06:3')).toEqual([
    'INGEST_LISTENERS: expected one of teltonika, gt06, got "teltonica"',
    'INGEST_LISTENERS: gt06 has no UDP form',
  ]);
});
