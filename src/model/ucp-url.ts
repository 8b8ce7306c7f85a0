export function parseUcpUrl(text: string): string | undefined {
  return text || undefined;
}
export type UcpUrl = string;
