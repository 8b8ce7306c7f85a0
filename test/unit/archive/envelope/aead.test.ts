// EAX by the vectors of its authors (Bellare, Rogaway, Wagner: "The EAX mode of operation", appendix G), AES-128.
import { expect, test } from '@jest/globals';
import { unseal } from '#src/archive/envelope/aead.js';
import { cipherOf } from '#src/archive/envelope/encrypted-data.js';

const eax128 = { cipher: cipherOf(7), mode: 'eax' } as const;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const vectors = [
  {
    key: '233952DEE4D5ED5F9B9C6D6FF80FF478',
    nonce: '62EC67F9C3A4A407FCB2A8C49031A8B3',
    bound: '6BFB914FD07EAE6B',
    sealed: 'E037830E8389F27B025A2D6527E79D01',
    plain: '',
  },
  {
    key: '91945D3F4DCBEE0BF45EF52255F095A4',
    nonce: 'BECAF043B0A23D843194BA972C66DEBD',
    bound: 'FA3BFD4806EB53FA',
    sealed: '19DD5C4C9331049D0BDAB0277408F67967E5',
    plain: 'F7FB',
  },
  {
    key: '8395FCF1E95BEBD697BD010BC766AAC3',
    nonce: '22E7ADD93CFC6393C57EC0B3C17D6B44',
    bound: '126735FCC320D25A',
    sealed: 'CB8920F87A6C75CFF39627B56E3ED197C552D295A7CFC46AFC253B4652B1AF3795B124AB6E',
    plain: 'CA40D7446E545FFAED3BD12A740A659FFBBB3CEAB7',
  },
].map(({ plain, sealed, ...rest }) => ({ plain, size: plain.length / 2, sealed: hex(sealed), ...rest }));

test.each(vectors)(
  '$size bytes are opened, and none of them where a bit is wrong',
  ({ key, nonce, bound, sealed, plain }) => {
    const message = { sealed, nonce: hex(nonce), bound: hex(bound) };
    expect(unseal(eax128, hex(key), message)?.toString('hex').toUpperCase()).toBe(plain);
    for (const name of ['sealed', 'nonce', 'bound'] as const) {
      for (const at of [0, message[name].length - 1]) {
        const altered = Buffer.from(message[name]);
        altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
        expect(unseal(eax128, hex(key), { ...message, [name]: altered })).toBeUndefined();
      }
    }
  },
);
