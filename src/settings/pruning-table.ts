/** The part of the table of settings about places that hold many archives. None has a variable: a prune removes archives. */
import { onOff, part, text, wholeNumber } from './setting.js';

export const pruning = part('What is kept', {
  keepLast: text(wholeNumber('N'), { help: 'keep the newest N archives of each replica' }),
  keepDaily: text(wholeNumber('N'), {
    help: 'keep the newest of each of the last N days that have an archive, in UTC',
  }),
  keepWeekly: text(wholeNumber('N'), { help: 'the same of weeks, which begin on Monday' }),
  keepMonthly: text(wholeNumber('N'), { help: 'the same of months' }),
  // Shares its flag with `breakLock`, which is about a lock in RethinkDB.
  breakPruneLock: onOff({ flag: 'break-lock', help: 'take over the lock that a killed prune left in the place' }),
});

export const listing = part('Options', {
  all: onOff({ help: 'also show the files that are not known to be archives of dtr-backup, and why' }),
});
