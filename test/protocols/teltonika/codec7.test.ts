import { describe, expect, it } from 'vitest';
import { accepted, frameOfHex, handle, onlyRecord } from './frames.ts';

const VILNIUS = '425adbd7 41ca6e1e';

describe('codec 7', () => {
  it('reads everything that the masks announce', () => {
    const record = onlyRecord(frameOfHex(`07 01 41bf9db0 0f ff ${VILNIUS} 009e 40 05 07 0001 030b 16 0000601a
      02 01 5e 02 00 03 14 0066 15 000a 16 0067 01 05 00000ce4 01`));
    expect({ ...record, attributes: [...record.attributes] }).toEqual({
      ts: Date.UTC(2007, 0, 1) + 0x01bf9db0 * 1000,
      latitude: 54.71468734741211,
      longitude: 25.303768157958984,
      altitude: 158,
      course: 90,
      speed: 5,
      satellites: 7,
      hdop: 10.2,
      valid: true,
      priority: 1,
      eventId: 0,
      attributes: [
        ['lac', 1], ['cid', 779], ['rssi', 22], ['operator', 24_602], ['batteryLevel', 94], ['usbConnected', false],
        ['hdop', 10.2], ['vdop', 1], ['pdop', 10.3], ['uptime', 3300],
      ],
    });
  });

  it('has no position without the GPS element or its coordinates', () => {
    for (const hex of ['07 01 01bf9db0 00 01', '07 01 01bf9db0 01 08 05 01', '07 01 01bf9db0 01 01 00000000 00000000 01']) {
      expect(onlyRecord(frameOfHex(hex))).toMatchObject({ latitude: null, longitude: null, speed: null, valid: false });
    }
  });

  it('is not valid without satellites', () => {
    expect(onlyRecord(frameOfHex(`07 01 01bf9db0 01 11 ${VILNIUS} 00 01`))).toMatchObject({ satellites: 0, valid: false });
  });

  it('alarms when the button is pressed', () => {
    const record = onlyRecord(frameOfHex('07 01 01bf9db0 02 02 de 01 63 07 01'));
    expect([...record.attributes]).toEqual([['sosButton', 1], ['io99', 7], ['alarm', 'sos']]);
  });

  it('rejects coordinates that are none, and keeps the neighbours', () => {
    const data = accepted(handle(frameOfHex(`07 03 01bf9db0 00 01bf9db1 01 01 7fc00000 41ca6e1e
      01bf9db2 01 01 43360000 7f800000 03`)));
    expect(data.records).toHaveLength(1);
    expect(data.rejected).toMatchObject([{ field: 'records[1].latitude' }, { field: 'records[2].latitude' }]);
    expect(data.reply).toEqual(Buffer.from([0, 0, 0, 3]));
  });
});
