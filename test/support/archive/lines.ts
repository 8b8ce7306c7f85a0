/** Entries as the writer takes them: each text followed by one newline. */
export function linesOf(texts: readonly string[] = []): Buffer {
  return Buffer.from(texts.map((text) => `${text}\n`).join(''));
}
