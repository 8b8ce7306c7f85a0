/**
 * The log: lines on stderr in the look of the original (`INFO[0003] Connected to RethinkDB 2.4.4`), or JSON lines for
 * programs (`--log-format json`). stdout belongs to the archive, so nothing here knows it. Names and texts from outside
 * are in many a message, so every one is made printable here: none can move the cursor, forge a line or turn one around.
 */
import { pino, type Logger } from 'pino';
import type { Clock } from './clock.js';
import { printable } from './printable.js';

export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** The original's FATA: the last line of a failed run; a bug has the lines of its stack after it. */
  fatal(message: string, stack?: string): void;
  /** Shows passing progress: redrawn in place on a terminal, a line elsewhere. */
  progress(message: string): void;
}

export interface LogOptions {
  readonly format: 'text' | 'json';
  readonly debug: boolean;
  /** Writes to stderr at once: the process may end after any line. */
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly clock: Clock;
}

export function createLog(options: LogOptions): Log {
  const write = options.format === 'json' ? options.write : textRenderer(options);
  const logger: Logger = pino(
    {
      level: options.debug ? 'debug' : 'info',
      base: null,
      timestamp: () => `,"time":"${options.clock.now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return {
    debug: (message) => logger.debug(line(message)),
    info: (message) => logger.info(line(message)),
    warn: (message) => logger.warn(line(message)),
    error: (message) => logger.error(line(message)),
    fatal: (message, stack = '') => logger.fatal([line(message), ...stackLines(stack)].join('\n')),
    progress: (message) => logger.info({ progress: true }, line(message)),
  };
}

const maxLineCharacters = 8192;

function line(message: string): string {
  return printable(message, maxLineCharacters);
}

/** Indented, each of them: a line that is not begins a message. */
function stackLines(stack: string): string[] {
  if (stack === '') return [];
  return stack.split('\n').map((text) => `    ${line(text.trim())}`);
}

const labels: Readonly<Record<string, string>> = {
  debug: 'DEBU',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERRO',
  fatal: 'FATA',
};

const eraseLine = '\r\u001b[K';

/** Renders pino's JSON lines as `INFO[0003] …`: whole seconds since the start, at least four digits. */
function textRenderer({ write, isTerminal, clock }: LogOptions): (line: string) => void {
  const startMs = clock.monotonicMs();
  let progressShown = false;
  return (line) => {
    const { level, msg, progress } = JSON.parse(line) as { level: string; msg: string; progress?: boolean };
    const seconds = Math.floor((clock.monotonicMs() - startMs) / 1000);
    const text = `${labels[level] ?? level}[${String(seconds).padStart(4, '0')}] ${msg}`;
    const inPlace = isTerminal && progress === true;
    write(`${progressShown ? eraseLine : ''}${text}${inPlace ? '' : '\n'}`);
    progressShown = inPlace;
  };
}
