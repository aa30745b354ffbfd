/** What a started server is, and how one fails to start. */

/** A server that this process started, bound to 127.0.0.1. */
export interface Server {
  /** With the credentials. */
  readonly url: string;
  readonly pid: number;
  readonly port: number;
  /** Resolves with how it ended, whether asked to or not; never rejects. */
  readonly ended: Promise<string>;
  /** Ends it in its orderly way, after a time limit by force. Again: the same promise. */
  stop(): Promise<void>;
}

/** Thrown when a server does not come up: the message holds the last lines of its log. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError';
}

/** Thrown when the wanted port belongs to somebody else. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly port: number;

  constructor(server: string, port: number) {
    super(`${server} cannot listen on 127.0.0.1:${port}: another process has that port`);
    this.port = port;
  }
}
