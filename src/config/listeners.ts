/** The grammar of INGEST_LISTENERS: `protocol[+tls|+udp]:port`, separated by commas. */

export interface ListenerSetting {
  readonly protocol: string;
  readonly transport: 'tcp' | 'tls' | 'udp';
  /** 0 takes a free port. */
  readonly port: number;
}

const LISTENER = /^([a-z][a-z0-9_]*)(?:\+(tls|udp))?:(\d{1,5})$/;

/** undefined where the text is not a list of listeners, or names one port twice for the same kind of socket. */
export function parseListeners(text: string): readonly ListenerSetting[] | undefined {
  const listeners: ListenerSetting[] = [];
  const taken = new Set<string>();
  for (const part of text.split(',')) {
    const match = LISTENER.exec(part.trim());
    const [, protocol, suffix, digits] = match ?? [];
    const port = Number(digits);
    if (protocol === undefined || port > 65_535) return undefined;
    const transport = suffix === 'tls' || suffix === 'udp' ? suffix : 'tcp';
    const socket = `${transport === 'udp' ? 'udp' : 'tcp'}:${port}`;
    if (port !== 0 && taken.has(socket)) return undefined;
    taken.add(socket);
    listeners.push({ protocol, transport, port });
  }
  return listeners;
}
