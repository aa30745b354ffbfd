/**
 * The bytes of a letter to the protocol that they came in, as if they came now: a datagram by itself, a frame with what
 * its connection knew before it. Pure. Errors: CodecError for a session that is none; whatever the protocol throws.
 */
import { z } from 'zod';
import type { Handled, Protocol, Session } from '../protocols/protocol.ts';
import { findProtocol } from '../protocols/registry.ts';
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { CodecError } from '../shared/errors.ts';

interface DecodedAgain {
  readonly handled: Handled;
  /** Before the frame; null for a datagram. */
  readonly session: Session | null;
}

/** Of its other fields only the protocol knows; it wrote them. */
const sessionSchema = z.looseObject({ deviceId: z.string().nullable() });

/** null: this version does not know the protocol. */
export function decodeAgain(letter: DeadLetter, frame: Buffer): DecodedAgain | null {
  const protocol = findProtocol(letter.protocol ?? '');
  if (protocol === undefined) return null;
  const datagram = letter.session === null ? protocol.handleDatagram?.(frame, letter.at).handled : undefined;
  if (datagram?.kind === 'accepted') return { handled: datagram, session: null };
  // What is no datagram and has no session was written without one, and says whose it is.
  const session = sessionOf(letter, protocol);
  return { handled: protocol.handle(session, frame, letter.at), session };
}

function sessionOf({ session, deviceId }: DeadLetter, protocol: Protocol): Session {
  if (session === null) return { ...protocol.open(), deviceId };
  const parsed = sessionSchema.safeParse(parseJson(session));
  if (!parsed.success) throw new CodecError('session', 'the session of a protocol', session);
  return { ...protocol.open(), ...parsed.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CodecError('session', 'JSON', text);
  }
}
