/** A file to import: its bytes, unpacked where it is gzip, and how far they were read. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { FormatName } from './formats/registry.ts';
import { formatOf } from './formats/registry.ts';

export interface Input {
  readonly file: string;
  /** As it is on disk. */
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly isCompressed: boolean;
  /** null: neither the name nor the beginning says. */
  readonly format: FormatName | null;
}

const HEAD_BYTES = 16 * 1024;
const CHUNK_BYTES = 256 * 1024;

async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(HEAD_BYTES) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function unpackedHead(file: string): Promise<Buffer> {
  const unpacked = createReadStream(file).pipe(createGunzip());
  for await (const chunk of unpacked) return (chunk as Buffer).subarray(0, HEAD_BYTES);
  return Buffer.alloc(0);
}

/** @throws Error when the file cannot be read */
export async function inspect(file: string): Promise<Input> {
  const { size, mtimeMs } = await stat(file);
  const head = await headOf(file);
  const isCompressed = head[0] === 0x1f && head[1] === 0x8b;
  const text = (isCompressed ? await unpackedHead(file) : head).toString();
  const format = formatOf(basename(file).replace(/\.gz$/i, ''), text);
  return { file, bytes: size, modifiedMs: Math.round(mtimeMs), isCompressed, format };
}

/** Its unpacked bytes. @param onRead told of the bytes read from disk */
export async function* bytesOf(
  { file, isCompressed }: Input, onRead: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  source.on('data', (chunk) => { onRead(chunk.length); });
  const unpacked = isCompressed ? source.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : source;
  source.once('error', (error) => { unpacked.destroy(error); });
  try {
    for await (const chunk of unpacked) yield chunk as Buffer;
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}
