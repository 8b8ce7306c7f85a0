/** The README's tables of settings and exit codes, made from the code's own. `npm run docs` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { exitCodeMeanings } from '#src/base/exit-codes.js';
import type { Setting } from '#src/config/setting.js';
import { commands } from '#src/cli/commands.js';
import { globalSettings, settings } from '#src/config/settings.js';

const path = 'README.md';

/** The README with its tables made anew. */
export function readmeWithTables(readme: string): string {
  return fill(fill(readme, 'settings', settingsTable()), 'exit codes', exitCodesTable());
}

function settingsTable(): string {
  const everywhere = { name: 'all', settings: globalSettings };
  const rows = Object.entries<Setting>(settings).map(([name, setting]) => {
    const users = [...commands, everywhere].filter((user) => user.settings.some((used) => used === name));
    const value = 'placeholder' in setting ? ` ${setting.placeholder.replaceAll('|', '\\|')}` : '';
    const byDefault = setting.kind === 'text' && setting.default !== undefined ? ` (default ${setting.default})` : '';
    const variable = setting.env === undefined ? '' : `\`${setting.env}\``;
    return [
      `\`--${setting.flag}${value}\``,
      variable,
      users.map((user) => user.name).join(', '),
      setting.help + byDefault,
    ];
  });
  return table(['flag', 'environment', 'commands', ''], rows);
}

function exitCodesTable(): string {
  return table(
    ['code', 'meaning'],
    exitCodeMeanings.map(([code, meaning]) => [String(code), meaning]),
  );
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function fill(readme: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: made by npm run docs -->`, `<!-- end of ${name} -->`];
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${path} has no place for ${name}`);
  return `${readme.slice(0, from + begin.length)}\n\n<!-- prettier-ignore -->\n${content}\n\n${readme.slice(to)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(path, readmeWithTables(readFileSync(path, 'utf8')));
}
