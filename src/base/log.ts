/**
 * The log: lines on stderr in the form of docker/dtr's (`INFO[0003] Connected to RethinkDB 2.4.4`), or JSON lines for
 * programs (`--log-format json`). Messages hold names and texts from outside, so every message is made printable here:
 * none can move the cursor, forge a line or reverse one.
 */
import type { Clock } from './clock.js';
import { printable } from './printable.js';

export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** The last line of a failed run; of a bug, the lines of its stack follow. */
  fatal(message: string, stack?: string): void;
  /** Redrawn in place on a terminal, a line elsewhere. */
  progress(message: string): void;
}

interface LogOptions {
  readonly format: 'text' | 'json';
  readonly debug: boolean;
  /** Writes to stderr at once: the process may end after any line. */
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly clock: Clock;
}

export function createLog(options: LogOptions): Log {
  const format = options.format === 'json' ? jsonFormat(options) : textFormat(options);
  const add = (level: Level, message: string, { isProgress = false, stack = '' } = {}): void => {
    // Indented: a line that is not begins a message.
    const stackLines = stack === '' ? [] : stack.split('\n').map((text) => `    ${line(text.trim())}`);
    options.write(format(level, [line(message), ...stackLines].join('\n'), isProgress));
  };
  return {
    debug: (message) => {
      if (options.debug) add('debug', message);
    },
    info: (message) => add('info', message),
    warn: (message) => add('warn', message),
    error: (message) => add('error', message),
    fatal: (message, stack = '') => add('fatal', message, { stack }),
    progress: (message) => add('info', message, { isProgress: true }),
  };
}

const maxLineCharacters = 8192;
const line = (message: string): string => printable(message, maxLineCharacters);

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
  let isProgressShown = false;
  return (level, message, isProgress) => {
    const seconds = Math.floor((clock.monotonicMs() - startMs) / 1000);
    const erase = isProgressShown ? eraseLine : '';
    isProgressShown = isTerminal && isProgress;
    return `${erase}${labels[level]}[${String(seconds).padStart(4, '0')}] ${message}${isProgressShown ? '' : '\n'}`;
  };
}
