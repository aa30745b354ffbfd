import { describe, expect, it } from 'vitest';
import { encodeAvlDatagram } from '../../../src/protocols/teltonika/encode.ts';
import { teltonika } from '../../../src/protocols/teltonika/index.ts';
import { IMEI, RECEIVED_AT, accepted, avlRecord, refused } from './frames.ts';

const handleDatagram = (bytes: Buffer): ReturnType<NonNullable<typeof teltonika.handleDatagram>> =>
  teltonika.handleDatagram!(bytes, RECEIVED_AT);

describe('a datagram', () => {
  it('names its device and is answered with its packet id, AVL packet id and count', () => {
    const records = [avlRecord([[239, 1, 1]]), avlRecord([[239, 1, 0]])];
    for (const codec of ['8', '8E', '16'] as const) {
      const { deviceId, handled } = handleDatagram(encodeAvlDatagram(IMEI, records, codec, 0xcafe, 7));
      expect(deviceId).toBe(IMEI);
      expect(handled.session).toEqual({ deviceId: IMEI });
      expect(accepted(handled).reply?.toString('hex')).toBe('0005cafe010702');
      expect(accepted(handled).records.map(({ attributes }) => attributes.get('ignition'))).toEqual([true, false]);
    }
  });

  it('whose length is wrong is refused, cut short anywhere or too long', () => {
    const datagram = encodeAvlDatagram(IMEI, [avlRecord()], '8', 1, 1);
    for (let length = 0; length < datagram.length; length += 1) {
      const { deviceId, handled } = handleDatagram(datagram.subarray(0, length));
      expect(deviceId).toBeNull();
      expect(refused(handled)).toMatchObject({ code: 'length_out_of_range', close: false });
    }
    expect(handleDatagram(Buffer.concat([datagram, Buffer.alloc(1)])).handled.kind).toBe('refused');
  });

  it('without an IMEI is refused', () => {
    const { deviceId, handled } = handleDatagram(encodeAvlDatagram('not an imei', [avlRecord()], '8', 1, 1));
    expect(deviceId).toBeNull();
    expect(refused(handled)).toMatchObject({ code: 'invalid_imei', replyWhenDeadLettered: null });
  });

  it('whose counts differ is acknowledged only when it is dead-lettered', () => {
    const datagram = encodeAvlDatagram(IMEI, [avlRecord(), avlRecord()], '8', 0xcafe, 5);
    datagram[datagram.length - 1] = 1;
    const mismatch = refused(handleDatagram(datagram).handled);
    expect(mismatch.code).toBe('count_mismatch');
    expect(mismatch.replyWhenDeadLettered?.toString('hex')).toBe('0005cafe010502');
  });

  it('that cannot be decoded is kept raw and acknowledged', () => {
    const datagram = encodeAvlDatagram(IMEI, [avlRecord()], '8', 0xcafe, 5);
    datagram[8 + IMEI.length] = 0x99;
    const data = accepted(handleDatagram(datagram).handled);
    expect(data).toMatchObject({ records: [], rejected: [{ code: 'unknown_codec' }] });
    expect(data.rejected[0]?.raw.equals(datagram)).toBe(true);
    expect(data.reply?.toString('hex')).toBe('0005cafe010501');
  });
});
