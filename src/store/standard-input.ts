/** stdin as it is: what kind of descriptor it is decides whether an archive may be read from it, and how. */
import { createReadStream } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { describeDescriptor } from './descriptor.js';
import { UsageError } from '../base/errors.js';

/** stdin, as the program sees it. */
export interface Stdin {
  /**
   * Called at most once, by a command that reads it: an opened stdin can keep a process waiting. Throws a UsageError
   * where no archive can come from there.
   */
  open(): Readable;
}

/** `stream` gives Node's stream for `fd`, which is used for pipes and stream sockets alone: to it, a block device is empty. */
export function standardInput(fd: number, stream: () => Readable): Stdin {
  return {
    open() {
      const { kind, mayBeClosed, access } = describeDescriptor(fd);
      const refused = (what: string): UsageError =>
        new UsageError([`${what}name an archive, or pass one through stdin (docker run needs -i for it)`]);
      if (kind === 'terminal') throw refused('');
      if (mayBeClosed) throw refused('stdin is closed: ');
      if (kind === 'directory' || kind === 'unknown kind of file') throw refused(`stdin is a ${kind}: `);
      if (access === 'write') throw refused('stdin is open for writing only: ');
      if (kind !== 'pipe' && kind !== 'socket') return createReadStream('', { fd, autoClose: false });
      const node = stream();
      if (node instanceof Socket) return node;
      throw refused('stdin is a socket of datagrams or packets: ');
    },
  };
}
