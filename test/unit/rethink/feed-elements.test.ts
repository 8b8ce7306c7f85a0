// What the elements of a changefeed are taken for.
import { describe, expect, test } from '@jest/globals';
import { parseElements } from '#src/rethink/feed-elements.js';

const lines = (...texts: string[]): Buffer => Buffer.from(texts.map((text) => `${text}\n`).join(''));

function parted(...texts: string[]): { parts: [string, string][]; isReady: boolean } {
  const { parts, isReady } = parseElements(lines(...texts));
  return { parts: parts.map((part) => [part.kind, part.lines.toString()]), isReady };
}

const initial = (document: string): string => `{"new_val":${document},"type":"initial"}`;
const add = '{"new_val":{"id":1},"old_val":null,"type":"add"}';

describe('the elements of a feed', () => {
  test('are rows without what stands around them, and changes as they came, in order', () => {
    const tricky = '{"id":2,"new_val":{},"type":"initial"}';
    expect(
      parted('{"state":"initializing","type":"state"}', initial('{"id":1}'), initial(tricky), add, initial('{}')),
    ).toEqual({
      parts: [
        ['documents', `{"id":1}\n${tricky}\n`],
        ['changes', `${add}\n`],
        ['documents', '{}\n'],
      ],
      isReady: false,
    });
  });

  test.each(['add', 'change', 'remove', 'uninitial'])('of type %s are changes', (type) => {
    const element = `{"old_val":{"id":1},"type":"${type}"}`;
    expect(parted(element).parts).toEqual([['changes', `${element}\n`]]);
  });

  test('say when all rows have been given', () => {
    expect(parted('{"state":"ready","type":"state"}', add)).toEqual({
      parts: [['changes', `${add}\n`]],
      isReady: true,
    });
  });

  test('that tell of dropped changes throw what the server says', () => {
    const error = 'Changefeed cache over array size limit, skipped 12 elements.';
    expect(() => parseElements(lines(add, JSON.stringify({ error })))).toThrow(error);
  });

  test('that are unknown throw, without what they hold', () => {
    const unknown = '{"new_val":{"key":"secret"},"type":"novelty"}';
    expect(() => parseElements(lines(unknown))).toThrow(/^the changefeed holds an element that is not a change$/);
  });
});

test('elements that are no JSON at all throw, without what they hold', () => {
  expect(() => parseElements(lines('secret'))).toThrow(/^the changefeed holds an element that is not a change$/);
});
