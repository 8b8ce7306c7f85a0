/** Text from outside for terminals and logs: it can neither move the cursor nor forge a line. */

/** Control, format (bidirectional ones among them) and line-breaking characters, and halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text with such characters as `\uXXXX`, as in JSON, cut after `maxCharacters`. */
export function printable(text: string, maxCharacters = 200): string {
  const isLong = text.length > maxCharacters;
  return escapeCharacters(isLong ? `${text.slice(0, maxCharacters)}… (${text.length} characters)` : text);
}

/** The same for text of several lines, which stay lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(escapeCharacters).join('\n');
}

function escapeCharacters(text: string): string {
  return text.replaceAll(unprintable, (character) =>
    // One character may be two UTF-16 units.
    character.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
