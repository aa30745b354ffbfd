import { describe, expect, it } from 'vitest';
import { parseListeners } from '../../src/config/listeners.ts';

describe('a list of listeners', () => {
  it.each([
    ['teltonika:5027', [{ protocol: 'teltonika', transport: 'tcp', port: 5027 }]],
    ['gt06+tls:1', [{ protocol: 'gt06', transport: 'tls', port: 1 }]],
    ['a_2+udp:65535', [{ protocol: 'a_2', transport: 'udp', port: 65_535 }]],
    ['a:0', [{ protocol: 'a', transport: 'tcp', port: 0 }]],
    ['a:1, b:2 ,c:3', [1, 2, 3].map((port) => ({ protocol: 'abc'[port - 1], transport: 'tcp', port }))],
  ])('%s', (text, listeners) => {
    expect(parseListeners(text)).toEqual(listeners);
  });

  it.each([
    ['one port for TCP and UDP', 'a:5027,a+udp:5027'],
    ['free ports again and again', 'a:0,a:0,a+tls:0,b+udp:0,b+udp:0'],
  ])('may have %s', (_what, text) => {
    expect(parseListeners(text)).toHaveLength(text.split(',').length);
  });

  it.each([
    ['nothing', ''],
    ['a comma too many', 'a:1,'],
    ['no port', 'a'],
    ['an empty port', 'a:'],
    ['no protocol', ':5027'],
    ['a port above 65535', 'a:65536'],
    ['a negative port', 'a:-1'],
    ['a port with a sign', 'a:+1'],
    ['an unknown transport', 'a+sctp:1'],
    ['two transports', 'a+tls+udp:1'],
    ['a capital letter', 'A:1'],
    ['a digit at the front', '6a:1'],
    ['an address', '127.0.0.1:5027'],
    ['a space within', 'a :1'],
    ['one port twice', 'a:1,b:1'],
    ['one port for TCP and TLS', 'a:1,a+tls:1'],
    ['one UDP port twice', 'a+udp:1,b+udp:1'],
  ])('with %s is none', (_what, text) => {
    expect(parseListeners(text)).toBeUndefined();
  });
});
