/** Any text for fast-check, whose own unit `binary` takes a second to be made. */
import fc from 'fast-check';

/** Any character, the first 128 as often as all others. */
const character = fc
  .oneof(fc.nat(0x7f), fc.integer({ min: 0x80, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }), fc.nat(0x7f))
  .map((codePoint) => String.fromCodePoint(codePoint));

/** Without lone surrogates, which UTF-8 has not. */
export const anyText = fc.string({ unit: character });
