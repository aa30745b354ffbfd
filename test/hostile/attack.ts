/** What a process of attackers is told over IPC, and what it answers. */

export interface Attack {
  readonly port: number;
  /** In all; each address of 127.0.1.1 to 127.0.1.`addresses` has its share. */
  readonly connections: number;
  readonly addresses: number;
  /** Connections begun and not ended at the same time. */
  readonly atOnce: number;
  /** Connections begun a second; as fast as they can be without. */
  readonly perSecond?: number;
  /** Hexadecimal; sent on connecting. */
  readonly first?: string;
  /** Hexadecimal; sent again and again afterwards. */
  readonly drip?: { readonly bytes: string; readonly everyMs: number };
  /** Teltonika logins with made-up IMEIs, each with a record once it is let in; a connection ends with its answer. */
  readonly madeUpImeis?: boolean;
  /** Stays connected, whatever comes, until the server ends it or `stop` is said. */
  readonly stays?: boolean;
}

export type Command = { readonly type: 'attack'; readonly attack: Attack } | { readonly type: 'report' } | { readonly type: 'stop' };

export interface Report {
  readonly opened: number;
  readonly open: number;
  /** Ended by the server, or not taken. */
  readonly ended: number;
  readonly admitted: number;
  readonly denied: number;
  readonly acknowledged: number;
  /** All that the attack asks for were opened; those that do not stay have ended. */
  readonly isDone: boolean;
}
