/**
 * The commands, in the order of help. The module of each, and with it the job and the packages that it needs, is loaded
 * when the command runs: loading those of all commands takes longer than most calls do.
 */
import { backupNames, convertNames, imagesNames, inspectNames, restoreNames, verifyNames } from './setting-names.js';
import type { Command } from './process-context.js';

const archiveFileHelp = 'the archive, encrypted, compressed or neither; stdin when it is - or absent';

export const commands: readonly Command[] = [
  {
    name: 'backup',
    help: 'write the metadata of a DTR replica to stdout as one tar',
    settings: backupNames,
    run: async (call) => (await import('./backup-command.js')).runBackup(call),
  },
  {
    name: 'images',
    help: 'write the image content of a DTR replica to stdout as one tar',
    settings: imagesNames,
    run: async (call) => (await import('./images-command.js')).runImages(call),
  },
  {
    name: 'verify',
    help: 'verify that an archive is complete and unaltered; the exit code is the verdict',
    settings: verifyNames,
    file: archiveFileHelp,
    run: async (call) => (await import('./verify-command.js')).runVerify(call),
  },
  {
    name: 'inspect',
    help: 'show what is in an archive',
    settings: inspectNames,
    file: archiveFileHelp,
    run: async (call) => (await import('./inspect-command.js')).runInspect(call),
  },
  {
    name: 'restore',
    help: "write an archive into a replica's RethinkDB",
    settings: restoreNames,
    file: archiveFileHelp,
    run: async (call) => (await import('./restore-command.js')).runRestore(call),
  },
  {
    name: 'convert',
    help: 'rewrite an archive: changes folded into the rows, another document encoding, fewer tables',
    settings: convertNames,
    file: archiveFileHelp,
    run: async (call) => (await import('./convert-command.js')).runConvert(call),
  },
];
