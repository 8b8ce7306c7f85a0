/** The commands, in the order of help. */
import { backupCommand } from './backup-command.js';
import { convertCommand } from './convert-command.js';
import { imagesCommand } from './images-command.js';
import { inspectCommand } from './inspect-command.js';
import { restoreCommand } from './restore-command.js';
import type { Command } from './surroundings.js';
import { verifyCommand } from './verify-command.js';

export const commands: readonly Command[] = [
  backupCommand,
  imagesCommand,
  verifyCommand,
  inspectCommand,
  restoreCommand,
  convertCommand,
];
