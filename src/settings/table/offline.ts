/** Stopping a replica for its backup. */
import { flag, text } from '../setting.js';
import { seconds } from '../value-parsers.js';

export const offlineSettings = {
  offlineBackup: flag({
    flag: 'offline-backup',
    env: 'DTR_OFFLINE_BACKUP',
    help: 'stop the containers of the replica that write, read its tables, then start the containers again',
  }),
  startTimeout: text({
    flag: 'start-timeout',
    env: 'DTR_START_TIMEOUT',
    placeholder: 'SECONDS',
    help: 'how long the containers that --offline-backup stopped may take to start again',
    parse: seconds,
    expects: 'seconds, such as 60 or 0.5',
    default: '300',
    extended: true,
  }),
} as const;
