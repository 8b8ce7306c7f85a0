/** stdin: its kind of descriptor decides whether an archive can be read from it, and how. */
import { createReadStream } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { describeDescriptor } from './descriptor.js';
import { UsageError } from '../base/errors.js';

export interface Stdin {
  /**
   * Called at most once, by a command that reads it: an open stdin can keep the process from ending. Throws a UsageError
   * where no archive can come from it.
   */
  open(): Readable;
}

/** `stream` gives Node's stream for `fd`, used for pipes and stream sockets alone: it finds a block device empty. */
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
