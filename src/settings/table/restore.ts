/** What a restore may do to the replica, and which part of the archive it takes. */
import { parseTablePattern } from '../../model/table-pattern.js';
import { flag, list } from '../setting.js';

export const restoreSettings = {
  replace: flag({
    flag: 'replace',
    help: 'make tables that hold documents equal to the archive: other documents are deleted',
  }),
  merge: flag({ flag: 'merge', help: 'write into tables that hold documents: other documents stay' }),
  onlyTable: list({
    flag: 'table',
    placeholder: 'DB.TABLE',
    help: 'restore only this table (DB.* for all of a database); repeatable',
    parse: parseTablePattern,
    expects: 'DB.TABLE or DB.*',
  }),
  allowVersionMismatch: flag({
    flag: 'allow-version-mismatch',
    help: 'restore the archive of another minor version of DTR',
  }),
  skipVerify: flag({
    flag: 'skip-verify',
    help: 'verify the archive while it is restored instead of before: faster, but damage is found too late',
  }),
  // Its flag is that of `certificates`, which a backup has by default: keys are never written by default.
  writeCertificates: flag({
    flag: 'certificates',
    help: 'also write the archive’s certificate files into volumes dtr-ca and dtr-notary; needs UCP',
  }),
  // Its flag is that of `verify`, which reads an output back.
  verifyRestored: flag({
    flag: 'verify',
    help: 'compare every document with the replica after all are written, not only their number',
  }),
  breakLock: flag({
    flag: 'break-lock',
    help: 'take over the lock that a killed restore left in RethinkDB',
  }),
} as const;
