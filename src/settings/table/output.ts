/** Where an archive goes. */
import { flag, text } from '../setting.js';
import { anyText } from '../value-parsers.js';

export const outputSettings = {
  output: text({
    flag: 'output',
    env: 'DTR_OUTPUT',
    placeholder: 'FILE',
    help: 'write to FILE instead of stdout; {version}, {replica} and {date} are filled in',
    parse: anyText,
  }),
  verify: flag({
    flag: 'verify',
    env: 'DTR_VERIFY',
    help: 'read the finished --output file back and verify it before it is renamed into place',
  }),
  force: flag({ flag: 'force', help: 'let --output replace an existing file' }),
} as const;
