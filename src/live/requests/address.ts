/** The address of whoever is at the other end, behind as many proxies as are known to be there. */
import type { IncomingMessage } from 'node:http';

/** @param hops proxies that each append an address to `X-Forwarded-For`; the rest of the header anybody can write */
export function addressOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>, hops: number): string {
  const direct = socket.remoteAddress ?? '';
  const forwarded = headers['x-forwarded-for'];
  if (hops === 0 || forwarded === undefined) return direct;
  const addresses = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded).split(',').map((part) => part.trim());
  return addresses.at(-Math.min(hops, addresses.length)) ?? direct;
}
