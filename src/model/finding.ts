/** What is wrong with an archive, in words for an operator. */
export interface Finding {
  /** The entry's path, fit for a terminal; absent where the archive as a whole is meant. */
  readonly entry?: string;
  readonly reason: string;
}

/** Text out of an archive that anybody may have made: no control characters, and not without end. */
export function printable(text: string, mostCharacters = 200): string {
  const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}… (${text.length} characters)` : text;
  return cut.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
