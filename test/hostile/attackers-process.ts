/** Attackers in a process of their own: as many connections as it is told to make. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { encodeAvlFrame, encodeLogin } from '../../src/protocols/teltonika/encode.ts';
import { avlRecord } from '../protocols/teltonika/frames.ts';
import type { Attack, Command, Report } from './attack.ts';

const RECORD = encodeAvlFrame([avlRecord()], '8');
const ACKNOWLEDGEMENT_BYTES = 4;

const sockets = new Set<Socket>();
const counts = { opened: 0, ended: 0, admitted: 0, denied: 0, acknowledged: 0 };
let begun = 0;
let wanted = 0;
let isStopped = false;

function madeUpLogin(number: number): Buffer {
  return encodeLogin(`99${String(number).padStart(13, '0')}`);
}

function talk(socket: Socket, attack: Attack, number: number): void {
  if (attack.first !== undefined) socket.write(Buffer.from(attack.first, 'hex'));
  if (attack.drip !== undefined) {
    const bytes = Buffer.from(attack.drip.bytes, 'hex');
    const drip = setInterval(() => { socket.write(bytes); }, attack.drip.everyMs);
    socket.on('close', () => { clearInterval(drip); });
  }
  if (attack.madeUpImeis !== true) return;
  socket.write(madeUpLogin(number));
  socket.on('data', (answer) => {
    if (answer.length === ACKNOWLEDGEMENT_BYTES) counts.acknowledged += 1;
    else if (answer[0] === 1) {
      counts.admitted += 1;
      socket.write(RECORD);
      return;
    } else counts.denied += 1;
    socket.end();
  });
}

function open(attack: Attack, next: () => void): void {
  const number = begun;
  begun += 1;
  const localAddress = `127.0.1.${1 + (number % attack.addresses)}`;
  const socket = connect({ port: attack.port, host: '127.0.0.1', localAddress });
  sockets.add(socket);
  socket.on('connect', () => {
    counts.opened += 1;
    talk(socket, attack, number);
    if (attack.stays === true) next();
  });
  socket.on('data', () => undefined);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    sockets.delete(socket);
    if (!isStopped) counts.ended += 1;
    if (attack.stays !== true) next();
  });
}

function run(attack: Attack): void {
  wanted = attack.connections;
  const { perSecond = Infinity } = attack;
  const begunAt = performance.now();
  const next = (): void => {
    if (begun >= wanted || isStopped) return;
    const dueMs = begunAt + (begun * 1_000) / perSecond - performance.now();
    if (dueMs > 0) setTimeout(next, dueMs);
    else open(attack, next);
  };
  for (let lane = 0; lane < attack.atOnce; lane += 1) next();
}

function report(attack: Attack | null): Report {
  const isDone = begun === wanted && (attack?.stays === true ? counts.opened === wanted : sockets.size === 0);
  return { ...counts, open: sockets.size, isDone };
}

let current: Attack | null = null;

process.on('message', (command: Command) => {
  if (command.type === 'attack') {
    current = command.attack;
    run(current);
  }
  if (command.type === 'stop') {
    isStopped = true;
    for (const socket of sockets) socket.resetAndDestroy();
  }
  process.send?.(report(current));
});
