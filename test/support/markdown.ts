/** The links and headings of a Markdown page, as GitHub reads them. Code is not searched. */

export interface MarkdownPage {
  /** The targets of its links, in the order of the page. */
  readonly links: readonly string[];
  /** The anchors of its headings. */
  readonly anchors: ReadonlySet<string>;
}

export function parseMarkdown(text: string): MarkdownPage {
  const prose = withoutCode(text);
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const anchors = new Set<string>();
  for (const [, title = ''] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = anchorOf(title);
    // GitHub numbers headings of one text: `name`, `name-1`, `name-2`.
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return { links, anchors };
}

function anchorOf(title: string): string {
  const text = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').trim();
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}\-_ ]/gu, '')
    .replaceAll(' ', '-');
}

/** A code span may be broken over lines of its paragraph; in a heading its text is part of the anchor. */
function withoutCode(text: string): string {
  return text
    .replaceAll(/^ {0,3}(```+|~~~+)[^\n]*\n[\s\S]*?^ {0,3}\1[ \t]*$/gm, '')
    .split(/\n{2,}/)
    .map((paragraph) => (paragraph.startsWith('#') ? paragraph : paragraph.replaceAll(/`[^`]*`/g, '')))
    .join('\n\n');
}
