/** Making text from outside fit for a terminal and a log: nobody's names may move the cursor or forge a line. */

/** Control, format (bidirectional ones among them) and line-breaking characters, and halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text with such characters as `\uXXXX`, as JSON has them, and cut after `maxCharacters`. */
export function printable(text: string, maxCharacters = 200): string {
  const isLong = text.length > maxCharacters;
  return escaped(isLong ? `${text.slice(0, maxCharacters)}… (${text.length} characters)` : text);
}

/** The same for text of several lines, which stay lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(escaped).join('\n');
}

function escaped(text: string): string {
  return text.replaceAll(unprintable, (character) =>
    [...Array(character.length).keys()].map((at) => escapeUnit(character.charCodeAt(at))).join(''),
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
