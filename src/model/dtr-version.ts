export function parseDtrVersion(text: string): string | undefined {
  return /^\d+\.\d+\.\d+[\w.-]*$/.exec(text)?.[0];
}
