/**
 * The log: lines on stderr in the form of docker/dtr's (`INFO[0003] Connected to RethinkDB 2.4.4`), or JSON lines for
 * programs (`--log-format json`). stdout belongs to the archive, so nothing here knows it. Names and texts from outside
 * are in many a message, so every one is made printable here: none can move the cursor, forge a line or turn one around.
 */
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
  const { debug, write } = options;
  const format = options.format === 'json' ? jsonFormat(options) : textFormat(options);
  const add = (level: Level, message: string, isProgress = false): void => write(format(level, message, isProgress));
  return {
    debug: (message) => {
      if (debug) add('debug', line(message));
    },
    info: (message) => add('info', line(message)),
    warn: (message) => add('warn', line(message)),
    error: (message) => add('error', line(message)),
    fatal: (message, stack = '') => add('fatal', [line(message), ...stackLines(stack)].join('\n')),
    progress: (message) => add('info', line(message), true),
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

const labels = { debug: 'DEBU', info: 'INFO', warn: 'WARN', error: 'ERRO', fatal: 'FATA' };
type Level = keyof typeof labels;
type Format = (level: Level, message: string, isProgress: boolean) => string;

function jsonFormat({ clock }: LogOptions): Format {
  return (level, msg, isProgress) => {
    const time = clock.now().toISOString();
    return `${JSON.stringify({ level, time, ...(isProgress && { progress: true }), msg })}\n`;
  };
}

const eraseLine = '\r\u001b[K';

/** `INFO[0003] …`: whole seconds since the start, at least four digits. */
function textFormat({ isTerminal, clock }: LogOptions): Format {
  const startMs = clock.monotonicMs();
  let progressShown = false;
  return (level, message, isProgress) => {
    const seconds = Math.floor((clock.monotonicMs() - startMs) / 1000);
    const inPlace = isTerminal && isProgress;
    const erase = progressShown ? eraseLine : '';
    progressShown = inPlace;
    return `${erase}${labels[level]}[${String(seconds).padStart(4, '0')}] ${message}${inPlace ? '' : '\n'}`;
  };
}
