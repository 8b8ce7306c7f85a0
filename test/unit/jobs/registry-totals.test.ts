import { expect, test } from '@jest/globals';
import { DocumentBatch } from '#src/archive/entries/document-batch.js';
import { RegistryTotals } from '#src/jobs/registry-totals.js';
import { maxDocumentDepth } from '#src/model/document-limits.js';

/** The totals of these events. */
function totalsOf(events: readonly string[]): ReturnType<RegistryTotals['summary']> {
  const totals = new RegistryTotals();
  for (const [number, event] of events.entries()) {
    const batch = new DocumentBatch();
    batch.begin({ kind: 'documents', directory: 'events' }, number, number);
    batch.add(Buffer.from(event), 0, Buffer.byteLength(event));
    totals.add(batch);
  }
  return totals.summary(() => undefined);
}

/** An event with lists in one another, `depth` deep together with the event itself. */
function nestedEvent(publishedAt: string, depth: number): string {
  return `{"publishedAt":"${publishedAt}","deep":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
}

test('an event that is nested deeper than a document may be is passed over, unparsed', () => {
  const [first, last] = ['2030-01-01T00:00:00.000Z', '2031-01-01T00:00:00.000Z'];
  expect(totalsOf([nestedEvent(first, 2), nestedEvent(last, maxDocumentDepth)])).toEqual({
    firstEventAt: first,
    lastEventAt: last,
  });
  expect(totalsOf([nestedEvent(first, 2), nestedEvent(last, maxDocumentDepth + 1)])).toEqual({
    firstEventAt: first,
    lastEventAt: first,
  });
});
