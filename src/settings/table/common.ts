/** Of several commands or all. */
import { flag, text } from '../setting.js';
import { oneOf } from '../value-parsers.js';

const logFormats = ['text', 'json'] as const;

export const commonSettings = {
  dryRun: flag({ flag: 'dry-run', help: 'print the plan and do nothing else' }),
  debug: flag({ flag: 'debug', env: 'DEBUG', help: 'log more' }),
  logFormat: text({
    flag: 'log-format',
    env: 'DTR_LOG_FORMAT',
    placeholder: logFormats.join('|'),
    help: 'text for people or JSON for programs',
    parse: oneOf(logFormats),
    expects: logFormats.join(' or '),
    default: 'text',
  }),
} as const;
