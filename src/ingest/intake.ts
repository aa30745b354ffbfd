/**
 * One frame, from its bytes to what has to be appended before it is answered: the same for TCP and UDP. Touches no
 * socket and no stream.
 *
 * Errors: protocols are pure and total; if one throws all the same, its frame is kept as a dead letter, unanswered.
 */
import type { Settings } from '../config/settings.ts';
import type { Handled, Refused, Session } from '../protocols/protocol.ts';
import { errorMessage } from '../shared/errors.ts';
import type { FrameContext, FrameEntries } from './entries.ts';
import { frameEntries, refusedEntries } from './entries.ts';
import type { IngestEvents, Peer } from './events.ts';
import type { PoisonFrames } from './poison-frames.ts';

/** A frame to keep: `reply` is sent once `entries` are durable, `denial` instead where the device may not log in. */
export interface Taken {
  readonly kind: 'taken';
  readonly session: Session;
  readonly entries: FrameEntries;
  readonly reply: Buffer | null;
  readonly denial: Buffer | null;
}

interface IntakeOptions {
  readonly settings: Pick<Settings, 'STREAM_PARTITIONS' | 'MAX_PAST_MS' | 'MAX_FUTURE_MS'>;
  readonly poison: PoisonFrames;
  readonly events: Pick<IngestEvents, 'decoderThrew'>;
}

const NOBODY: Session = { deviceId: null };

export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** `before` is the session before the frame, null for a datagram; `handle` is the protocol's reading of it. */
  take(peer: Peer, before: Session | null, frame: Buffer, handle: (receivedAt: number) => Handled): Taken | Refused {
    const { settings } = this.#options;
    const { STREAM_PARTITIONS: partitions, MAX_PAST_MS: maxPastMs, MAX_FUTURE_MS: maxFutureMs } = settings;
    const receivedAt = Date.now();
    const session = before ?? NOBODY;
    const context: FrameContext = {
      protocol: peer.protocol, deviceId: session.deviceId, session: before,
      receivedAt, now: receivedAt, frame, partitions, maxPastMs, maxFutureMs,
    };
    try {
      const handled = handle(receivedAt);
      return this.#settle(handled, { ...context, deviceId: handled.session.deviceId });
    } catch (error) {
      this.#options.events.decoderThrew(peer, error);
      const threw = { code: 'internal_error', field: '', message: errorMessage(error) } as const;
      return { kind: 'taken', session, entries: refusedEntries(threw, context), reply: null, denial: null };
    }
  }

  /** A frame that is refused again and again is taken as a dead letter, if the protocol has an answer to that. */
  #settle(handled: Handled, context: FrameContext): Taken | Refused {
    const { session } = handled;
    if (handled.kind === 'accepted') {
      const { reply, denial } = handled;
      return { kind: 'taken', session, entries: frameEntries(handled, context), reply, denial };
    }
    const { replyWhenDeadLettered: reply } = handled;
    if (reply === null || !this.#options.poison.isPoison(context.deviceId, context.frame)) return handled;
    return { kind: 'taken', session, entries: refusedEntries(handled, context), reply, denial: null };
  }
}
